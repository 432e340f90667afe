import { join, resolve } from "node:path";
import process from "node:process";
import { clearRun, runFolderSize } from "../record/run_folder.ts";
import { loadRun } from "../testing/run_coverage_files.ts";
import { supervisorRuntime, withPreload } from "../testing/runner_command.ts";
import { runInKernel } from "../uml/run_kernel.ts";
import { parseCommandLine } from "./command_line.ts";
import { EXIT_NO_COVERAGE } from "./exit_status.ts";
import { GUEST_OPTIONS, guestOptions } from "./guest_options.ts";
import { chooseKernel } from "./kernel_choice.ts";
import { checkReportOptions, LOAD_OPTIONS, loadOptions, reportRun } from "./report.ts";
import { OUTPUT_HELP, OUTPUT_OPTIONS } from "./report_outputs.ts";
import { runHere } from "./run_here.ts";
import { runSupervised } from "./run_supervised.ts";
import { UsageError } from "./usage_error.ts";

const HELP = `kernelcov test [OPTIONS] -- COMMAND…
    Runs a test command, records what its tests make the kernel run, and reports. Of deno test and bun test every
    test is covered; elsewhere those whose bodies are wrapped in withKernelCoverage.
    --kernel auto|host|embedded   auto, the default: the running kernel if it has KCOV, else the embedded one
    --kernel PATH                 a user-mode Linux kernel of your own: its folder, or its file linux
    --scope thread|tree           whose system calls: the testing thread's, or those of all threads and child processes
    --out DIR                     folder of the reports and records; coverage/kernel by default
    --write DIR                   in the embedded kernel: a folder that the tests may write to; may be repeated
    --timeout SECONDS             in the embedded kernel: time limit of the command
    --memory SIZE                 in the embedded kernel: its memory, 2G by default
    --repeat N                    run the command N times: points that come and go are marked as flaky
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
    ...GUEST_OPTIONS,
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
  const asked = guestOptions(values);
  const out = resolve(values.out);
  checkReportOptions(values, out, "of the command");
  const kernel = await chooseKernel(values.kernel);

  const guest = { ...asked, write: [out, ...asked.write] };
  const runDirectory = join(out, "run");
  clearRun(runDirectory);
  const env = { ...process.env, KERNELCOV_RUN: runDirectory };
  const covered = withPreload(command).command;
  const { scope } = values;
  async function runOnce(): Promise<number> {
    if (scope === "tree") {
      const options = { command: covered, runDirectory, mode: "auto", record: false } as const;
      const runtime = supervisorRuntime(command);
      return await runSupervised(options, { kernel, env, runtime, ...guest });
    }
    if (kernel === "host") return await runHere(covered, env);
    return (await runInKernel({ command: covered, kernel, env, ...guest })).exitStatus;
  }
  let exitStatus = 0;
  for (let repeat = 0; repeat < repeats && exitStatus === 0; repeat++) exitStatus = await runOnce();

  if (runFolderSize(runDirectory) === 0) {
    process.stderr.write(
      "kernelcov: No test was recorded: wrap the tests' bodies in withKernelCoverage\n",
    );
    return exitStatus === 0 ? EXIT_NO_COVERAGE : exitStatus;
  }
  process.stdout.write("\n");
  const loaded = loadRun(runDirectory, loadOptions(values, kernel));
  const reportStatus = await reportRun(loaded, out, values);
  return exitStatus === 0 ? reportStatus : exitStatus;
}
