import { hostfsWriteThrough, isHostfs } from "../record/hostfs_write_through.ts";
import { ModulePlaces } from "../record/module_places.ts";
import { openRun } from "../record/run_folder.ts";
import { loadLibc } from "../sys/load.ts";
import { environmentVariables, exitProcess, scriptArguments } from "../sys/runtime.ts";
import { currentArchitecture } from "./architecture.ts";
import { PROTOCOL, SUPERVISOR_VARIABLE } from "./boundary_message.ts";
import {
  endSignal,
  exitCode,
  SIG_DFL,
  SIG_IGN,
  SIGHUP,
  SIGINT,
  SIGPIPE,
  SIGQUIT,
  SIGTERM,
  SIGXFSZ,
} from "./constants.ts";
import { CoverageLedger } from "./coverage_ledger.ts";
import { KernelLogMarks } from "./kernel_log_marks.ts";
import { Ptrace } from "./ptrace.ts";
import { startStopped } from "./start_command.ts";
import { Supervisor } from "./supervisor.ts";
import { parseSuperviseArguments } from "./supervise_options.ts";
import { TaskStatusReader } from "./task_status.ts";
import { TraceBufferPool } from "./trace_buffer_pool.ts";

/** Signals that end the command and not its supervisor: it must outlive the command to write its records. */
const OUTLIVED = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/** Runs the command of `args` supervised and returns its wait status. */
function supervise(args: readonly string[]): number {
  const options = parseSuperviseArguments(args);
  const libc = loadLibc();
  const pool = new TraceBufferPool(libc, { mode: options.mode, words: options.words });
  const ptrace = new Ptrace(libc, currentArchitecture());
  const modules = new ModulePlaces();
  modules.observe();
  using run = openRun(options.runDirectory, {
    modules,
    writeThrough: (path) => hostfsWriteThrough(libc, path),
  });
  const name = options.command.join(" ");
  // A guest's log is for its tests alone.
  const marks = isHostfs(libc, options.runDirectory) ? new KernelLogMarks(libc) : undefined;
  const hasHits = pool.mode === "trace";
  if (options.record) run.begin({ name, file: "", kind: "command", scope: "tree", hasHits });
  const ledger = new CoverageLedger({
    hasHits,
    command: options.record
      ? { name, file: "", kind: "command", parent: null, startedAt: Date.now() }
      : null,
    onRecord: (record) => run.append(record),
    onBegin: (test) => {
      run.begin(test);
      marks?.begin(test);
    },
  });
  // SIGPIPE and SIGXFSZ are ignored by the runtime, not by who started it.
  const ignored = new TaskStatusReader(libc).read(libc.getpid())?.ignored ?? 0n;
  const changed = OUTLIVED.filter((signal) => (ignored >> BigInt(signal - 1) & 1n) === 0n);
  for (const signal of OUTLIVED) libc.signal(signal, SIG_IGN);
  const startedAt = performance.now();
  const root = startStopped(libc, {
    command: options.command,
    environment: { ...environmentVariables(), [SUPERVISOR_VARIABLE]: PROTOCOL },
    defaultSignals: [SIGPIPE, SIGXFSZ, ...changed],
  });
  const status = new Supervisor(libc, ptrace, pool, ledger, () => modules.observe()).run(root);
  ledger.close({
    outcome: exitCode(status) === 0 ? "passed" : "failed",
    durationMs: performance.now() - startedAt,
  });
  return status;
}

/** Ends this process as the command ended. */
function endAs(status: number): void {
  const code = exitCode(status);
  const libc = loadLibc();
  // Not the runtime's own way, in which Deno tidies up for longer than it takes to write the last record.
  const { exit_group } = currentArchitecture().systemCalls;
  if (code !== null) libc.syscall(exit_group, BigInt(code), 0n, 0n, 0n, 0n, 0n);
  const signal = endSignal(status);
  libc.signal(signal, SIG_DFL);
  libc.kill(libc.getpid(), signal);
  exitProcess(128 + signal);
}

if (import.meta.main) endAs(supervise(scriptArguments()));
