import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { recordFiles } from "../../record/run_folder.ts";
import { lockRun } from "../../record/run_lock.ts";
import { errorReason } from "../../sys/file_error.ts";
import { loadRun } from "../../run/run_coverage_files.ts";
import {
  preloadPaths,
  supervisorRuntime,
  withPreload,
  withReport,
} from "../../runners/runner_command.ts";
import { settleOutcomes } from "../../runners/settle_outcomes.ts";
import { parseCommandLine } from "../command_line.ts";
import { EXIT_NO_COVERAGE } from "../exit_status.ts";
import { GUEST_OPTIONS, guestOptions } from "../recording/guest_options.ts";
import { chooseMachine } from "../recording/machine_choice.ts";
import { outputFolder } from "../recording/output_folder.ts";
import { FRESH_HELP, FRESH_OPTION, recordedRun } from "../recording/recorded_run.ts";
import { checkReportOptions, LOAD_OPTIONS, loadOptions, reportRun } from "./report.ts";
import { OUTPUT_HELP, OUTPUT_OPTIONS } from "../report_outputs.ts";
import type { CommandEnd } from "../../machines/machine.ts";
import { reportCut } from "../recording/report_cut.ts";
import { runSupervised } from "../recording/run_supervised.ts";
import { UsageError } from "../usage_error.ts";

const HELP = `kernelcov test [OPTIONS] -- COMMAND…
    Runs a test command, records what its tests make the kernel run, and reports. Of deno test and bun test every
    test is covered; elsewhere those whose bodies are wrapped in withKernelCoverage.
    --kernel auto|host|embedded   auto, the default: the running kernel if it has KCOV, else the embedded one
    --kernel NAME                 a kernel of kernelcov kernel build --config
    --kernel PATH                 a user-mode Linux kernel of your own: its folder, or its file linux
    --scope thread|tree           whose system calls: the testing thread's, or those of all threads and child processes
    --out DIR                     folder of the reports and records; coverage/kernel by default
    --no-follow PROGRAM           leave a program of this name, and what it starts, unrecorded and untraced; may be repeated
    --write DIR                   in the embedded kernel: a folder that the tests may write to; may be repeated
    --timeout SECONDS             in the embedded kernel: time limit of the command: SIGTERM, and 5 s later SIGKILL
    --memory SIZE                 in the embedded kernel: its memory, 2G by default
    --append PARAMETER            in the embedded kernel: added to its command line; may be repeated
    --dmesg                       in the embedded kernel: show its messages as they come
${FRESH_HELP}    --repeat N                    run the command N times: points that come and go are marked as flaky
    --steady                      leave these points out of the reports
    --vmlinux FILE                the kernel's image with debug information
    --modules DIR                 a folder with the kernel's modules; may be repeated
    --source-prefix DIR           what source paths start with; "" for paths relative to the kernel's root
${OUTPUT_HELP}`;

/** `kernelcov test -- COMMAND…`: the exit status is the command's. */
export async function testCommand(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    ...LOAD_OPTIONS,
    ...OUTPUT_OPTIONS,
    kernel: { type: "string", default: "auto" },
    scope: { type: "string", default: "tree" },
    out: { type: "string", default: "coverage/kernel" },
    "no-follow": { type: "string", multiple: true },
    ...GUEST_OPTIONS,
    ...FRESH_OPTION,
    repeat: { type: "string", default: "1" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (operands.length > 0) {
    throw new UsageError(`Unexpected "${operands[0]}": put the command behind --`);
  }
  if (command.length === 0) throw new UsageError("There is no test command: put it behind --");
  if (values.scope !== "thread" && values.scope !== "tree") {
    throw new UsageError(`Unknown scope "${values.scope}": use thread or tree`);
  }
  const repeats = Number(values.repeat);
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new UsageError(`--repeat ${values.repeat} is not a whole number above 0`);
  }
  const guest = guestOptions(values);
  checkReportOptions(values, values.out, "of the command");
  const out = outputFolder(values.out);
  const runDirectory = join(out, "run");
  using lock = lockRun(runDirectory);
  const machine = await chooseMachine(values.kernel, { ...guest, write: [out, ...guest.write] });
  const { run } = lock;
  const env = {
    ...process.env,
    KERNELCOV_RUN: runDirectory,
    KERNELCOV_RUN_ID: run,
    ...(values.vmlinux === undefined ? {} : { KERNELCOV_VMLINUX: resolve(values.vmlinux) }),
  };
  const runnerReport = join(runDirectory, "runner.xml");
  const direct = withPreload(command, runnerReport);
  // The runner itself can be told to load the preload; where another program starts it, a supervisor follows to it.
  const isSupervised = values.scope === "tree" || direct.runner === null;
  async function runOnce(): Promise<CommandEnd> {
    if (isSupervised) {
      const options = {
        command: withReport(command, runnerReport),
        runDirectory,
        run,
        mode: "auto",
        record: false,
        preloads: preloadPaths(),
        onlyPreload: values.scope === "thread",
        noFollow: values["no-follow"],
      } as const;
      const runtime = supervisorRuntime(command);
      return await runSupervised(options, { machine, env, runtime });
    }
    return await machine.run({ command: direct.command, env });
  }
  let end: CommandEnd = { exitStatus: 0, end: "exited", cut: undefined };
  for (let repeat = 0; repeat < repeats && end.exitStatus === 0; repeat++) {
    const earlier = new Set(recordFiles(runDirectory));
    rmSync(runnerReport, { force: true, recursive: true }); // of a run that was killed
    end = await runOnce();
    settle(runDirectory, earlier, runnerReport, end.cut !== undefined);
  }
  const { exitStatus } = end;

  const recorded = recordedRun(lock, values);
  reportCut(end, recorded?.records);
  if (recorded === undefined) {
    process.stderr.write(
      "kernelcov: No test was recorded: the command ran no test of deno test or bun test, and none whose body is " +
        "wrapped in withKernelCoverage. kernelcov record -- … records any command as a whole\n",
    );
    return exitStatus === 0 ? EXIT_NO_COVERAGE : exitStatus;
  }
  process.stdout.write("\n");
  const loaded = loadRun(recorded, loadOptions(values, machine.vmlinux));
  const reportStatus = await reportRun(loaded, out, runDirectory, values);
  return exitStatus === 0 ? reportStatus : exitStatus;
}

/** Outcomes that cannot be settled are no reason to report nothing. */
function settle(...settled: Parameters<typeof settleOutcomes>): void {
  const [runDirectory] = settled;
  try {
    settleOutcomes(...settled);
  } catch (error) {
    process.stderr.write(
      `kernelcov: Outcomes may differ from the runner's: cannot change the records in ${runDirectory}: ${
        errorReason(error)
      }: free space there\n`,
    );
  }
}
