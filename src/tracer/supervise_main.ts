import { RECORDER_VARIABLE, SUPERVISOR_VARIABLE } from "../kcov/recorder.ts";
import { hostfsWriteThrough, isHostfs } from "../record/hostfs_write_through.ts";
import { ModulePlaces } from "../kernel/module_places.ts";
import { runningKernel } from "../kernel/running_kernel.ts";
import { endRecords, LostRecords } from "../record/lost_records.ts";
import { openRun } from "../record/run_writer.ts";
import type { BegunTest, TestRecord } from "../record/test_record.ts";
import { loadLibc } from "../sys/load.ts";
import type { Libc } from "../sys/types.ts";
import { environmentVariables, exitProcess, scriptArguments } from "../sys/runtime.ts";
import { currentArchitecture } from "./tasks/architecture.ts";
import { PROTOCOL } from "./boundary/boundary_message.ts";
import { collectCommand } from "./collect_command.ts";
import * as linux from "./tasks/constants.ts";
import { endSignal, exitCode } from "./tasks/wait_status.ts";
import { CoverageLedger } from "./ledger/coverage_ledger.ts";
import { followToRunners } from "./runners/follow_runners.ts";
import { KernelLogMarks } from "./kernel_log_marks.ts";
import { Ptrace } from "./tasks/ptrace.ts";
import { RunnerPreloader } from "./runners/runner_preloader.ts";
import { startStopped } from "./start_command.ts";
import { Supervisor } from "./supervisor.ts";
import { parseSuperviseArguments, type SuperviseOptions } from "./supervise_options.ts";
import { TaskMemory } from "./tasks/task_memory.ts";
import { TaskStatusReader } from "./tasks/task_status.ts";
import { TraceBufferPool } from "./ledger/trace_buffer_pool.ts";

/** Signals that end the command and not its supervisor: it must outlive the command to write its records. */
const OUTLIVED = [linux.SIGHUP, linux.SIGINT, linux.SIGQUIT, linux.SIGTERM];

const STANDARD_ERROR = 2;

/** Runs the command of `args` supervised and returns its wait status. */
function supervise(args: readonly string[]): number {
  const options = parseSuperviseArguments(args);
  const libc = loadLibc();
  if (options.collect) return collectTree(options, libc);
  const ptrace = new Ptrace(libc, currentArchitecture(), options.mainline);
  const memory = new TaskMemory(libc);
  const { runners, onlyPreload } = options;
  const preloader = runners === undefined
    ? null
    : new RunnerPreloader(libc, ptrace, memory, runners, neededVariables(onlyPreload));
  const status = onlyPreload && preloader !== null
    ? followToRunners(
      libc,
      ptrace,
      preloader,
      start(libc, options.command, {}),
      options.noFollow,
      ({ message }) =>
        sayOnError(libc, `kernelcov: Only tests with wrapped bodies are covered: ${message}`),
    )
    : recordTree(options, libc, ptrace, memory, preloader);
  const line = preloader?.uncoveredLine;
  if (line !== undefined) sayOnError(libc, line);
  return status;
}

/** What a runner needs in its environment to be covered, where a program around it cleared that. */
function neededVariables(onlyPreload: boolean): string[] {
  const names = [
    "KERNELCOV",
    "KERNELCOV_RUN",
    "KERNELCOV_RUN_ID",
    "KERNELCOV_MODE",
    "KERNELCOV_REMOTE",
    "KERNELCOV_FAIL_NTH",
    "KERNELCOV_VMLINUX",
    RECORDER_VARIABLE,
  ];
  const own = environmentVariables();
  const kept = names.filter((name) => own[name] !== undefined).map((name) =>
    `${name}=${own[name]}`
  );
  return onlyPreload ? kept : [...kept, `${SUPERVISOR_VARIABLE}=${PROTOCOL}`];
}

/** The records of a command: what goes wrong with them costs the command nothing. */
function openRecords({ runDirectory, run }: SuperviseOptions, libc: Libc) {
  const modules = new ModulePlaces();
  modules.observe();
  const writer = openRun(runDirectory, {
    kernel: runningKernel,
    modules,
    run,
    writeThrough: (path) => hostfsWriteThrough(libc, path),
  });
  const lost = new LostRecords();
  return {
    modules,
    announce(test: BegunTest): void {
      try {
        writer.begin(test);
      } catch {
        // A folder that takes no line takes no record either, and that is said.
      }
    },
    append(record: TestRecord): void {
      try {
        writer.append(record);
      } catch (error) {
        // The command goes on: it is not its disk that is full.
        lost.add(record.name, error);
      }
    },
    close(): void {
      const told = endRecords(writer, lost, runDirectory);
      if (told !== undefined) sayOnError(libc, `kernelcov: ${told}`);
    },
  };
}

/** What is known of the record of a whole command when it begins. */
function commandRecord({ command }: SuperviseOptions, hasHits: boolean): BegunTest {
  return { name: command.join(" "), file: "", kind: "command", scope: "tree", hasHits };
}

function recordTree(
  options: SuperviseOptions,
  libc: Libc,
  ptrace: Ptrace,
  memory: TaskMemory,
  preloader: RunnerPreloader | null,
): number {
  const pool = new TraceBufferPool(libc, { mode: options.mode, words: options.words });
  const records = openRecords(options, libc);
  // A guest's log is for its tests alone.
  const marks = isHostfs(libc, options.runDirectory) ? new KernelLogMarks(libc) : undefined;
  const hasHits = pool.mode === "trace";
  const whole = commandRecord(options, hasHits);
  if (options.record) records.announce(whole);
  const ledger = new CoverageLedger({
    hasHits,
    command: options.record
      ? { name: whole.name, file: "", kind: "command", parent: null, startedAt: Date.now() }
      : null,
    ordered: options.record && options.mode === "trace",
    onRecord: records.append,
    onBegin: (test) => {
      records.announce(test);
      marks?.begin(test);
    },
  });
  const root = start(libc, options.command, { [SUPERVISOR_VARIABLE]: PROTOCOL });
  const startedAt = performance.now();
  function onExec(tid: number, inTest: boolean): void {
    // It may be one that loads or unloads modules.
    records.modules.observe();
    preloader?.began(tid, inTest);
  }
  const supervisor = new Supervisor({
    libc,
    ptrace,
    pool,
    ledger,
    memory,
    onExec,
    noFollow: options.noFollow,
  });
  const status = supervisor.run(root);
  ledger.close({
    outcome: exitCode(status) === 0 ? "passed" : "failed",
    durationMs: performance.now() - startedAt,
  });
  records.close();
  return status;
}

/** Records a whole command with a collector: nothing of it is traced. */
function collectTree(options: SuperviseOptions, libc: Libc): number {
  const records = openRecords(options, libc);
  const { hasHits: _hits, ...whole } = commandRecord(options, false);
  records.announce({ ...whole, hasHits: false });
  const collected = collectCommand(libc, options, () => start(libc, options.command, {}));
  const { status, ...rest } = collected;
  const outcome = exitCode(status) === 0 ? "passed" : "failed";
  records.append({
    ...whole,
    ...rest,
    outcome,
    hits: null,
    shared: false,
    callingThreadOnly: false,
  });
  records.close();
  return status;
}

/** Starts a command, stopped, with its signals as they would be without a supervisor. */
function start(
  libc: Libc,
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
): number {
  // SIGPIPE and SIGXFSZ are ignored by the runtime, not by who started it.
  const ignored = new TaskStatusReader(libc).read(libc.getpid())?.ignored ?? 0n;
  const changed = OUTLIVED.filter((signal) => (ignored >> BigInt(signal - 1) & 1n) === 0n);
  for (const signal of OUTLIVED) libc.signal(signal, linux.SIG_IGN);
  return startStopped(libc, {
    command,
    environment: { ...environmentVariables(), ...variables },
    defaultSignals: [linux.SIGPIPE, linux.SIGXFSZ, ...changed],
  });
}

function sayOnError(libc: Libc, line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  libc.write(STANDARD_ERROR, bytes, BigInt(bytes.length));
}

/** Ends this process as the command ended. */
function endAs(status: number): void {
  const code = exitCode(status);
  const libc = loadLibc();
  // Not the runtime's own way, in which Deno tidies up for longer than it takes to write the last record.
  const { exit_group } = currentArchitecture().systemCalls;
  if (code !== null) libc.syscall(exit_group, BigInt(code), 0n, 0n, 0n, 0n, 0n);
  const signal = endSignal(status);
  libc.signal(signal, linux.SIG_DFL);
  libc.kill(libc.getpid(), signal);
  exitProcess(128 + signal);
}

if (import.meta.main) endAs(supervise(scriptArguments()));
