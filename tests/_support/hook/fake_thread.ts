import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LiveCoverage, type LiveCoverageOptions } from "../../../src/hook/live_coverage.ts";
import { ThreadRecorder } from "../../../src/hook/recorders/thread_recorder.ts";
import { readRun } from "../../../src/record/read_run.ts";
import type { TestRecord } from "../../../src/record/test_record.ts";
import { type FakeLibc, fakeLibc, type FakeLibcOptions } from "../fake_libc.ts";

/** A thread whose kernel is a fake. */
export interface FakeThread {
  readonly libc: FakeLibc;
  /** Begins to record a test. */
  start(name: string, options?: LiveCoverageOptions): LiveCoverage;
  /** Ends the thread, and reads what it has recorded. */
  records(): readonly TestRecord[];
}

/** Runs `body` with a thread whose kernel is a fake. */
export function onFakeKernel(
  body: (thread: FakeThread) => void,
  options: FakeLibcOptions = {},
): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-hook-"));
  const directory = join(folder, "run");
  const libc = fakeLibc({ pcs: { read: [0x6000_0100n] }, ...options });
  const settings = { mode: "auto", runDirectory: directory, underCommand: true } as const;
  const thread = new ThreadRecorder({ ...settings, words: 512 }, () => libc, () => undefined);
  let closed = false;
  try {
    body({
      libc,
      start(name, options) {
        assert.equal(thread.unavailable(), undefined);
        const coverage = new LiveCoverage(thread, { name, file: "x_test.ts" }, options);
        coverage.begin();
        return coverage;
      },
      records() {
        thread.close();
        closed = true;
        assert.deepEqual([...libc.openDescriptors], [], "all devices are closed");
        return readRun(directory).records;
      },
    });
  } finally {
    if (!closed) thread.close();
    rmSync(folder, { recursive: true });
  }
}
