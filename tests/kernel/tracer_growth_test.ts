import assert from "node:assert/strict";
import { test } from "node:test";
import { KCOV_INIT_TRACE } from "../../src/kcov/abi.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { loadLibc } from "../../src/sys/load.ts";
import type { Libc } from "../../src/sys/types.ts";
import { currentArchitecture } from "../../src/tracer/tasks/architecture.ts";
import { exitCode } from "../../src/tracer/tasks/wait_status.ts";
import { CoverageLedger } from "../../src/tracer/ledger/coverage_ledger.ts";
import { Ptrace } from "../../src/tracer/tasks/ptrace.ts";
import { startStopped } from "../../src/tracer/start_command.ts";
import { Supervisor } from "../../src/tracer/supervisor.ts";
import { TraceBufferPool } from "../../src/tracer/ledger/trace_buffer_pool.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { plainEnvironment } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const SLOW = { timeout: timeLimit(120_000) };

/** Looks up files by itself, thousands of entries at a time; the end of a child is a signal that stops it. */
const BUSY = `
  round=0
  while [ $round -lt 6 ]; do
    look=0
    while [ $look -lt 4000 ]; do [ -e /proc/self/status ]; look=$((look + 1)); done
    /bin/true
    round=$((round + 1))
  done
  read -r line </proc/version
  exit 5`;

interface Run {
  readonly status: number | null;
  readonly record: TestRecord;
  /** Sizes of the buffers that were made, in words. */
  readonly sizes: readonly number[];
}

/** Runs a shell's script under a supervisor in this process, every hit recorded. */
function run(script: string, words?: number): Run {
  const sizes: number[] = [];
  const real = loadLibc();
  const libc: Libc = {
    ...real,
    ioctl(fd, request, argument) {
      if (request === KCOV_INIT_TRACE) sizes.push(Number(argument));
      return real.ioctl(fd, request, argument);
    },
  };
  const records: TestRecord[] = [];
  const ledger = new CoverageLedger({
    hasHits: true,
    command: { name: "busy", file: "", kind: "command", parent: null, startedAt: 0 },
    onRecord: (record) => void records.push(record),
  });
  const pool = new TraceBufferPool(libc, { mode: "trace", words });
  const root = startStopped(libc, {
    command: ["sh", "-c", script],
    environment: plainEnvironment() as Record<string, string>,
    defaultSignals: [],
  });
  const ptrace = new Ptrace(libc, currentArchitecture());
  const status = new Supervisor({ libc, ptrace, pool, ledger }).run(root);
  ledger.close({ outcome: "passed", durationMs: 0 });
  assert.equal(records.length, 1);
  return { status: exitCode(status), record: records[0], sizes };
}

test("a task that fills its buffer gets a larger one, and runs on as before", SLOW, () => {
  const { status, record, sizes } = run(BUSY);
  assert.equal(status, 5);
  const [first] = sizes;
  assert.ok(sizes.includes(first * 4), `buffers of ${sizes} words`);
  // Recorded in the buffer that it has last.
  assert.ok(kernelFunctions(record.pcs).has("version_proc_show"));
  assert.deepEqual(record.tree?.refused, []);
});

test("a buffer of a size that was asked for keeps it, and says that it was full", SLOW, () => {
  const { status, record, sizes } = run(BUSY, 4096);
  assert.equal(status, 5);
  assert.deepEqual(sizes.filter((words) => words !== 4096), []);
  assert.equal(record.truncated, true);
});

test("a task that does little keeps the buffer that it has", SLOW, () => {
  const runs = Array.from({ length: 3 }, () => run("read -r line </proc/version; /bin/true"));
  for (const { record } of runs) assert.equal(record.truncated, false);
  // Where memory is short the kernel looks for pages to give back in the task's name: not in each of three.
  const sizes = runs.map((one) => new Set(one.sizes).size);
  assert.equal(Math.min(...sizes), 1, `sizes of buffers: ${sizes}`);
});
