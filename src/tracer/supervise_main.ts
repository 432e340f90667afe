import { hostfsWriteThrough } from "../record/hostfs_write_through.ts";
import { ModulePlaces } from "../record/module_places.ts";
import { endRecords, LostRecords } from "../record/lost_records.ts";
import { openRun } from "../record/run_writer.ts";
import type { BegunTest } from "../record/test_record.ts";
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
import { Ptrace } from "./ptrace.ts";
import { startStopped } from "./start_command.ts";
import { Supervisor } from "./supervisor.ts";
import { parseSuperviseArguments } from "./supervise_options.ts";
import { TaskStatusReader } from "./task_status.ts";
import { TraceBufferPool } from "./trace_buffer_pool.ts";

/** Signals that end the command and not its supervisor: it must outlive the command to write its records. */
const OUTLIVED = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

const STANDARD_ERROR = 2;

/** Runs the command of `args` supervised and returns its wait status. */
function supervise(args: readonly string[]): number {
  const options = parseSuperviseArguments(args);
  const libc = loadLibc();
  const pool = new TraceBufferPool(libc, { mode: options.mode, words: options.words });
  const ptrace = new Ptrace(libc, currentArchitecture());
  const modules = new ModulePlaces();
  modules.observe();
  const { runDirectory } = options;
  const run = openRun(runDirectory, {
    modules,
    run: options.run,
    writeThrough: (path) => hostfsWriteThrough(libc, path),
  });
  const lost = new LostRecords();
  const name = options.command.join(" ");
  const hasHits = pool.mode === "trace";
  function announce(test: BegunTest): void {
    try {
      run.begin(test);
    } catch {
      // A folder that takes no line takes no record either, and that is said.
    }
  }
  if (options.record) announce({ name, file: "", kind: "command", scope: "tree", hasHits });
  const ledger = new CoverageLedger({
    hasHits,
    command: options.record
      ? { name, file: "", kind: "command", parent: null, startedAt: Date.now() }
      : null,
    onRecord: (record) => {
      try {
        run.append(record);
      } catch (error) {
        // The command goes on: it is not its disk that is full.
        lost.add(record.name, error);
      }
    },
    onBegin: announce,
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
  const told = endRecords(run, lost, runDirectory);
  if (told !== undefined) {
    const line = new TextEncoder().encode(`kernelcov: ${told}\n`);
    libc.write(STANDARD_ERROR, line, BigInt(line.length));
  }
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
