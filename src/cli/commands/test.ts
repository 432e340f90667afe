import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { faultsKernel } from "../../build/faults_kernel.ts";
import { CAUSED_BY_TESTS, checkCalls } from "../../coverage/origin_selection.ts";
import { FAULT_VARIABLE } from "../../hook/faults/fault_plan.ts";
import { MODE_VARIABLE, type RecordMode, REMOTE_VARIABLE } from "../../hook/mode.ts";
import { parseRemoteSources, type RemoteSource } from "../../kcov/remote/remote_sources.ts";
import type { CommandEnd } from "../../machines/machine.ts";
import { COLLECTORS, RECORDER_VARIABLE } from "../../kcov/recorder.ts";
import { machineName } from "../../sys/runtime.ts";
import { recordFiles } from "../../record/run_folder.ts";
import type { Scope } from "../../record/test_record.ts";
import { RUNNERS } from "../../runners/all_runners.ts";
import { denoRunner } from "../../runners/deno/runner.ts";
import { transpileAhead } from "../../runners/deno/transpile_ahead.ts";
import { supervisorRuntime, withPreload, withReport } from "../../runners/runner_command.ts";
import { settleOutcomes } from "../../runners/settle_outcomes.ts";
import { errorReason } from "../../sys/file_error.ts";
import {
  KERNEL_HELP,
  type Recording,
  RECORDING_HELP,
  RECORDING_OPTIONS,
  recordRun,
} from "../recording/record_run.ts";
import { recordModeOf } from "../recording/mode_option.ts";
import {
  chooseComparing,
  chooseRecorder,
  RECORDER_HELP,
  type RecorderName,
} from "../recording/recorder_choice.ts";
import { remoteMachine, runRemotely } from "../recording/remote_run.ts";
import { runSupervised } from "../recording/run_supervised.ts";
import { type Command, commandToRun, parseCommandLine, UsageError, warn } from "../command_line.ts";

/** `kernelcov test -- COMMAND…`: the exit status is the command's. */
export const testCommand: Command = {
  help: `kernelcov test [OPTIONS] -- COMMAND…
    Runs a test command, records what its tests make the kernel run, and reports. With deno test and bun test every
    test is covered; with other runners those whose bodies are wrapped in withKernelCoverage.
${KERNEL_HELP}    --mode pc|cmp|trace           what is recorded: pc, which points ran; trace, also in which order the testing thread ran
                                  them, for kernelcov trace; --scope thread is the default then; cmp, what was compared,
                                  in place of points, for kernelcov comparisons: in tree scope only with collectors
    --remote common,usb:N         with --scope thread: also what the kernel's workers do for the testing thread, where the
                                  kernel passes its handle on, or for USB bus N
    --scope thread|tree           whose system calls: the testing thread's, or those of all threads and child processes
${RECORDER_HELP}    --fail-nth all|CALL[,CALL…]   then run each test again for each allocation in these system calls, which fails: error
                                  paths. Under all those that the test made. What tests throw then is no failure of theirs
    --repeat N                    run the command N times: points that only some of the runs hit are marked as flaky
    --steady                      leave these points out of the reports
${RECORDING_HELP}`,
  run,
};

async function run(args: string[]): Promise<number> {
  const line = parseCommandLine(args, {
    ...RECORDING_OPTIONS,
    mode: { type: "string", default: "pc" },
    scope: { type: "string" },
    remote: { type: "string" },
    recorder: { type: "string", default: "auto" },
    repeat: { type: "string", default: "1" },
    "fail-nth": { type: "string" },
  });
  const { values } = line;
  const command = commandToRun(line, "test command");
  const mode = recordModeOf(values.mode);
  const sources = remoteOf(values.remote);
  const isThreads = mode === "trace" || sources.length > 0;
  const asked = scopeOf(values.scope ?? (isThreads ? "thread" : "tree"));
  if (sources.length > 0 && (asked === "tree" || mode === "cmp")) {
    throw new UsageError(
      asked === "tree"
        ? "--remote is of the testing thread: leave out --scope tree, where collectors have what the kernel does for a test"
        : "--remote is of points: leave out --mode cmp",
    );
  }
  if (asked === "thread" && values.recorder !== "auto") {
    throw new UsageError("--recorder is for --scope tree: leave out one of them");
  }
  const repeats = Number(values.repeat);
  if (!Number.isInteger(repeats) || repeats < 1) {
    throw new UsageError(`--repeat ${values.repeat} is not a whole number above 0`);
  }
  checkFailNth(values["fail-nth"], repeats);
  const remote = remoteMachine(values.kernel);
  if (remote !== undefined) {
    return await runRemotely(remote, { name: "test", values, command, out: values.out });
  }
  async function record(recording: Recording): Promise<CommandEnd> {
    // A tracer does not compare.
    const scope = mode === "cmp" && values.scope === undefined && values.recorder === "auto" &&
        !recording.machine.collectors
      ? "thread"
      : asked;
    const runOnce = testRecorder(command, recording, { ...values, scope, mode, remote: sources });
    let end: CommandEnd = { exitStatus: 0, end: "exited", cut: undefined };
    for (let repeat = 0; repeat < repeats && end.exitStatus === 0; repeat++) end = await runOnce();
    return end;
  }
  return await recordRun(
    values,
    record,
    "No test was recorded: the command ran no test of deno test or bun test, and none whose body is " +
      "wrapped in withKernelCoverage. kernelcov record -- … records any command as a whole",
    values["fail-nth"] === undefined ? undefined : faultsKernel(),
  );
}

function scopeOf(text: string): Scope {
  if (text === "thread" || text === "tree") return text;
  throw new UsageError(`Unknown scope "${text}": use thread or tree`);
}

/** The sources of `--remote`; none without it. */
function remoteOf(text: string | undefined): readonly RemoteSource[] {
  try {
    const sources = parseRemoteSources(text ?? "");
    if (text === undefined || sources.length > 0) return sources;
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
  throw new UsageError("--remote names no source: use common, or usb:N for USB bus N");
}

/** Holds that what is to fail can. */
function checkFailNth(text: string | undefined, repeats: number): void {
  if (text === undefined) return;
  if (repeats > 1) {
    throw new UsageError("--fail-nth runs each test again by itself: leave out --repeat");
  }
  const calls = text.split(",").filter((name) => name !== "all");
  if (calls.includes("")) {
    throw new UsageError("--fail-nth names no system call: use all, or names with commas between");
  }
  try {
    checkCalls({ ...CAUSED_BY_TESTS, calls }, machineName());
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

/** An option that only a tracer can follow. */
function needOfPtrace({ "no-follow": noFollow = [] }: TestValues): string | undefined {
  return noFollow.length > 0 ? "--no-follow" : undefined;
}

interface TestValues {
  readonly "no-follow"?: string[];
}

interface TestRunOptions extends TestValues {
  readonly scope: Scope;
  /** `pc` where absent. */
  readonly mode?: RecordMode;
  /** Sources of remote coverage; none where absent. */
  readonly remote?: readonly RemoteSource[];
  /** The value of `--recorder`. */
  readonly recorder: string;
  readonly vmlinux?: string;
  readonly "fail-nth"?: string;
}

/** What runs the command once, with its tests recorded and their outcomes settled. */
export function testRecorder(
  command: string[],
  recording: Recording,
  options: TestRunOptions,
): () => Promise<CommandEnd> {
  const { runDirectory, machine } = recording;
  const report = join(runDirectory, "runner.xml");
  const recorder = options.scope === "thread"
    ? "thread"
    : options.mode === "cmp"
    ? chooseComparing(options.recorder, machine, needOfPtrace(options))
    : chooseRecorder(options.recorder, machine, needOfPtrace(options));
  const needsDevice = options.mode === "trace"
    ? "--mode trace"
    : options["fail-nth"] === undefined
    ? undefined
    : "--fail-nth";
  if (recorder === "ptrace" && needsDevice !== undefined) {
    throw new UsageError(
      `${needsDevice} needs the thread's own device, which a tracer takes: use --scope thread`,
    );
  }
  const runOnce = testRun(command, report, recording, recorder, options);
  return async () => {
    const earlier = new Set(recordFiles(runDirectory));
    rmSync(report, { force: true, recursive: true }); // of a run that was killed
    const end = await runOnce();
    settle(runDirectory, earlier, report, end.cut !== undefined);
    return end;
  };
}

/**
 * What runs the command once, with its tests recorded.
 *
 * @param report where its runner writes a report of its own
 */
function testRun(
  command: string[],
  report: string,
  { machine, runDirectory, run }: Recording,
  recorder: RecorderName | "thread",
  { vmlinux, mode = "pc", remote = [], "no-follow": noFollow, "fail-nth": failNth }: TestRunOptions,
): () => Promise<CommandEnd> {
  const env = {
    ...process.env,
    KERNELCOV_RUN: runDirectory,
    KERNELCOV_RUN_ID: run,
    [MODE_VARIABLE]: mode,
    ...(remote.length > 0 ? { [REMOTE_VARIABLE]: remote.join() } : {}),
    ...(failNth === undefined ? {} : { [FAULT_VARIABLE]: failNth }),
    ...(recorder === "collectors" ? { [RECORDER_VARIABLE]: COLLECTORS } : {}),
    ...(vmlinux === undefined ? {} : { KERNELCOV_VMLINUX: resolve(vmlinux) }),
  };
  const direct = withPreload(command, report);
  // The runner itself can be told to load the preload; where another program starts it, a supervisor follows to it.
  const recordThemselves = recorder !== "ptrace";
  if (recordThemselves && direct.runner !== null) {
    if (recorder === "collectors" && machine.discardsChanges) transpileAhead([denoRunner.preload]);
    return () => machine.run({ command: direct.command, env });
  }
  const options = {
    command: withReport(command, report),
    runDirectory,
    run,
    mode: "auto",
    record: false,
    runners: RUNNERS,
    onlyPreload: recordThemselves,
    noFollow,
  } as const;
  const runtime = supervisorRuntime(command);
  return () => runSupervised(options, { machine, env, runtime });
}

/** Outcomes that cannot be settled are no reason to report nothing. */
function settle(...settled: Parameters<typeof settleOutcomes>): void {
  const [runDirectory] = settled;
  try {
    settleOutcomes(...settled);
  } catch (error) {
    warn(
      `Outcomes may differ from the runner's: cannot change the records in ${runDirectory}: ${
        errorReason(error)
      }: free space there`,
    );
  }
}
