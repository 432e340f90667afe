import { join } from "node:path";
import process from "node:process";
import { MAX_WORDS } from "../../kcov/abi.ts";
import { lockRun } from "../../record/run_lock.ts";
import { loadRun } from "../../run/run_coverage_files.ts";
import { parseCommandLine } from "../command_line.ts";
import { EXIT_NO_COVERAGE } from "../exit_status.ts";
import { GUEST_OPTIONS, guestOptions } from "../recording/guest_options.ts";
import { chooseMachine } from "../recording/machine_choice.ts";
import { outputFolder } from "../recording/output_folder.ts";
import { FRESH_HELP, FRESH_OPTION, recordedRun } from "../recording/recorded_run.ts";
import { checkReportOptions, LOAD_OPTIONS, loadOptions, reportRun } from "./report.ts";
import { OUTPUT_HELP, OUTPUT_OPTIONS } from "../report_outputs.ts";
import { reportCut } from "../recording/report_cut.ts";
import { runSupervised } from "../recording/run_supervised.ts";
import { UsageError } from "../usage_error.ts";

const HELP = `kernelcov record [OPTIONS] -- COMMAND…
    Runs a command, in any language, and records what it makes the kernel run, its threads and child processes
    included, as one record; then reports.
    --kernel auto|host|embedded   auto, the default: the running kernel if it has KCOV, else the embedded one
    --kernel NAME                 a kernel of kernelcov kernel build --config
    --kernel PATH                 a user-mode Linux kernel of your own: its folder, or its file linux
    --out DIR                     folder of the reports and records; coverage/kernel by default
    --mode auto|unique|trace      unique: each point once, where the kernel can; trace: how often each point ran
    --words N                     size of each thread's buffer, in words; by default enough, and larger for busy threads
    --no-follow PROGRAM           leave a program of this name, and what it starts, unrecorded and untraced; may be repeated
    --write DIR                   in the embedded kernel: a folder that the command may write to; may be repeated
    --timeout SECONDS             in the embedded kernel: time limit of the command: SIGTERM, and 5 s later SIGKILL
    --memory SIZE                 in the embedded kernel: its memory, 2G by default
    --append PARAMETER            in the embedded kernel: added to its command line; may be repeated
    --dmesg                       in the embedded kernel: show its messages as they come
${FRESH_HELP}    --vmlinux FILE                the kernel's image with debug information
    --modules DIR                 a folder with the kernel's modules; may be repeated
    --source-prefix DIR           what source paths start with; "" for paths relative to the kernel's root
${OUTPUT_HELP}`;

/** `kernelcov record -- COMMAND…`: the exit status is the command's. */
export async function recordCommand(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    ...LOAD_OPTIONS,
    ...OUTPUT_OPTIONS,
    kernel: { type: "string", default: "auto" },
    out: { type: "string", default: "coverage/kernel" },
    mode: { type: "string", default: "auto" },
    words: { type: "string" },
    "no-follow": { type: "string", multiple: true },
    ...GUEST_OPTIONS,
    ...FRESH_OPTION,
    help: { type: "boolean", short: "h" },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (operands.length > 0) {
    throw new UsageError(`Unexpected "${operands[0]}": put the command behind --`);
  }
  if (command.length === 0) throw new UsageError("There is no command to record: put it behind --");
  const { mode } = values;
  if (mode !== "auto" && mode !== "unique" && mode !== "trace") {
    throw new UsageError(`Unknown mode "${mode}": use auto, unique or trace`);
  }
  const words = values.words === undefined ? undefined : bufferWords(values.words);
  const guest = guestOptions(values);
  checkReportOptions(values, values.out, "of the command");
  const out = outputFolder(values.out);
  const runDirectory = join(out, "run");
  using lock = lockRun(runDirectory);
  const machine = await chooseMachine(values.kernel, { ...guest, write: [out, ...guest.write] });
  const end = await runSupervised(
    {
      command,
      runDirectory,
      run: lock.run,
      mode,
      record: true,
      words,
      noFollow: values["no-follow"],
    },
    { machine },
  );
  const { exitStatus } = end;
  const recorded = recordedRun(lock, values);
  reportCut(end, recorded?.records);
  if (recorded === undefined) {
    process.stderr.write("kernelcov: Nothing was recorded: the supervisor was ended\n");
    return exitStatus === 0 ? EXIT_NO_COVERAGE : exitStatus;
  }
  process.stdout.write("\n");
  const loaded = loadRun(recorded, loadOptions(values, machine.vmlinux));
  const reportStatus = await reportRun(loaded, out, runDirectory, values);
  return exitStatus === 0 ? reportStatus : exitStatus;
}

/** The buffer is mapped, so it has whole pages; pages of arm64 have up to 8,192 words. */
function bufferWords(text: string): number {
  const words = Number(text);
  if (words % 512 === 0 && words > 0 && words <= MAX_WORDS) return words;
  throw new UsageError(`--words ${text} is not a multiple of 512 above 0`);
}
