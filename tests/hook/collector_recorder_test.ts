import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CollectorRecorder } from "../../src/hook/recorders/collector_recorder.ts";
import { LiveCoverage } from "../../src/hook/live_coverage.ts";
import { KCOV_HOW, KCOV_HOW_SHIFT } from "../../src/kcov/origin.ts";
import { readRun } from "../../src/record/read_run.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { loadLibc } from "../../src/sys/load.ts";
import { type FakeCollectors, fakeCollectors } from "./fixtures/fake_collectors.ts";

const A = 0x6000_0010, B = 0x6000_0020, C = 0x6000_0030, WARM = 0x6000_0100;
const TIMER = KCOV_HOW.timer << KCOV_HOW_SHIFT | 42;

interface Setting {
  readonly kernel: FakeCollectors;
  readonly recorder: CollectorRecorder;
  readonly directory: string;
  start(name: string, parent?: LiveCoverage): LiveCoverage;
  records(): readonly TestRecord[];
  record(name: string): TestRecord;
}

function onFakeKernel(body: (setting: Setting) => void, has = true): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-collector-"));
  const directory = join(folder, "run");
  const kernel = fakeCollectors(has);
  // What the warm-up calls.
  const libc = {
    ...kernel.libc,
    close(fd: number) {
      if (fd === -1) kernel.record(WARM);
      return kernel.libc.close(fd);
    },
  };
  const settings = {
    mode: "auto",
    runDirectory: directory,
    underCommand: true,
    words: 512,
  } as const;
  const recorder = new CollectorRecorder({ settings, open: () => libc, openFiles: loadLibc });
  function records(): readonly TestRecord[] {
    return readRun(directory).records.filter(({ kind }) => kind === "test");
  }
  try {
    body({
      kernel,
      recorder,
      directory,
      start(name, parent) {
        assert.equal(recorder.unavailable(), undefined);
        const coverage = new LiveCoverage(recorder, { name, file: "x_test.ts" }, { parent });
        coverage.begin();
        return coverage;
      },
      records,
      record(name) {
        const found = records().filter((record) => record.name === name);
        assert.equal(found.length, 1, name);
        return found[0];
      },
    });
  } finally {
    recorder.close();
    rmSync(folder, { recursive: true });
  }
}

function points({ pcs, origins }: TestRecord): unknown {
  return origins?.map(({ origin, points }) => [origin, [...points].map((point) => pcs[point])]);
}

test("a record holds what ran between begin and end, by origin, and the rest is outside of tests", () => {
  onFakeKernel(({ kernel, recorder, start, record, directory }) => {
    recorder.unavailable();
    kernel.record(C);
    const coverage = start("one");
    kernel.record(B, 3);
    kernel.record(A, TIMER);
    kernel.record(B, TIMER);
    assert.deepEqual([...coverage.pcs()], [A, B]);
    coverage.end("passed");
    kernel.record(C);
    assert.deepEqual([...coverage.pcs()], [A, B], "it can still be asked");
    recorder.close();
    const { scope, outcome, hits, tree } = record("one");
    assert.deepEqual([scope, outcome, hits], ["tree", "passed", null]);
    assert.deepEqual(tree, { tasks: 1, refused: [], finished: true });
    assert.deepEqual(points(record("one")), [[3, [B]], [TIMER, [A, B]]]);
    const outside = readRun(directory).records.find(({ kind }) => kind === "outside")!;
    assert.deepEqual([...outside.pcs], [C]);
    assert.equal(kernel.open.size, 0, "everything is closed");
  });
});

test("a record is in the folder before the next test begins", () => {
  onFakeKernel(({ start, record }) => {
    start("one").end("passed");
    start("two");
    assert.equal(record("one").outcome, "passed");
  });
});

test("what runs late is of the test that caused it, also while the next one runs", () => {
  onFakeKernel(({ kernel, recorder, start, record }) => {
    const first = start("first");
    kernel.record(A);
    const later = kernel.defer(B, TIMER);
    first.end("passed");
    const second = start("second");
    assert.equal(record("first").tree?.pending, 1);
    later();
    kernel.record(C);
    second.end("passed");
    recorder.close();
    assert.deepEqual(points(record("first")), [[0, [A]], [TIMER, [B]]]);
    assert.equal(record("first").tree?.pending, undefined);
    assert.deepEqual(points(record("second")), [[0, [C]]]);
  });
});

test("what is still queued at the end is counted", () => {
  onFakeKernel(({ kernel, recorder, start, record }) => {
    const coverage = start("waits");
    kernel.defer(B, TIMER);
    coverage.end("passed");
    recorder.close();
    assert.equal(record("waits").tree?.pending, 1);
  });
});

test("no more collectors are opened than there may be, however much is queued", () => {
  onFakeKernel(({ kernel, start, records }) => {
    const deferred: (() => void)[] = [];
    for (let number = 0; number < 20; number++) {
      const coverage = start(`test ${number}`);
      deferred.push(kernel.defer(B, TIMER));
      coverage.end("passed");
    }
    assert.equal(kernel.open.size, 9, "eight and that for what is outside of tests");
    for (const run of deferred) run();
    start("last").end("passed");
    assert.ok(records().length >= 20);
  });
});

test("a step is in its own record and in its test's, and makes neither shared", () => {
  onFakeKernel(({ kernel, recorder, start, record }) => {
    const outer = start("outer");
    kernel.record(A);
    const inner = start("outer > inner", outer);
    kernel.record(B);
    const later = kernel.defer(C, TIMER);
    inner.end("passed");
    kernel.record(A, 3);
    later();
    outer.end("passed");
    recorder.close();
    assert.deepEqual([...record("outer").pcs], [A, B, C]);
    assert.deepEqual([...record("outer > inner").pcs], [B, C]);
    assert.deepEqual([record("outer").shared, record("outer > inner").shared], [false, false]);
  });
});

test("tests that are open at once are shared, and each has all that ran while it was open", () => {
  onFakeKernel(({ kernel, recorder, start, record }) => {
    const first = start("first");
    kernel.record(A);
    const second = start("second");
    kernel.record(A);
    kernel.record(B);
    first.end("passed");
    kernel.record(C);
    second.end("passed");
    const alone = start("alone");
    alone.end("passed");
    recorder.close();
    assert.deepEqual([...record("first").pcs], [A, B]);
    assert.deepEqual([...record("second").pcs], [A, B, C]);
    const shared = ["first", "second", "alone"].map((name) => record(name).shared);
    assert.deepEqual(shared, [true, true, false]);
  });
});

test("a test that the runner gave up may still run: the next ones are shared until it returns", () => {
  onFakeKernel(({ recorder, start, record }) => {
    const left = start("left");
    left.leave();
    start("next").end("passed");
    left.end("passed");
    start("after").end("passed");
    recorder.close();
    const told = ["left", "next", "after"].map((
      name,
    ) => [record(name).outcome, record(name).shared]);
    assert.deepEqual(told, [["failed", false], ["passed", true], ["passed", false]]);
  });
});

test("a full collector marks the record, and the next has more room", () => {
  onFakeKernel(({ kernel, recorder, start, record }) => {
    for (const name of ["full", "whole"]) {
      const coverage = start(name);
      for (let number = 0; number < 600; number++) kernel.record(A + number * 16);
      coverage.end("passed");
    }
    recorder.close();
    assert.deepEqual([record("full").truncated, record("whole").truncated], [true, false]);
    assert.deepEqual([record("full").pcs.length, record("whole").pcs.length], [504, 600]);
  });
});

test("descriptors that a test closes cost nothing", () => {
  onFakeKernel(({ kernel, recorder, start, record }) => {
    start("before").end("passed");
    const closes = start("closes");
    kernel.record(A);
    kernel.closeAll();
    closes.end("passed");
    const after = start("after");
    kernel.record(B);
    after.end("passed");
    recorder.close();
    assert.deepEqual([...record("closes").pcs], [A]);
    assert.deepEqual([...record("after").pcs], [B]);
  });
});

test("a test that is open when its file ends is unfinished, with what it ran", () => {
  onFakeKernel(({ kernel, recorder, start, record, directory }) => {
    const open = start("open");
    kernel.record(A);
    recorder.close();
    open.end("passed");
    const { outcome, pcs, tree } = record("open");
    assert.deepEqual([outcome, [...pcs], tree?.finished], ["unfinished", [A], false]);
    start("of the next file").end("passed");
    recorder.close();
    assert.equal(readdirSync(directory).length, 2);
  });
});

test("a kernel without collectors is unavailable, and nothing stays open", () => {
  onFakeKernel(({ kernel, recorder }) => {
    assert.notEqual(recorder.unavailable(), undefined);
    assert.equal(recorder.unavailable(), recorder.unavailable(), "it is tried once");
    assert.equal(kernel.open.size, 0);
  }, false);
});
