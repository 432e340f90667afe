import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KcovUnavailableError } from "../../src/errors.ts";
import { readRun } from "../../src/record/read_run.ts";
import type { CallEntries } from "../../src/kcov/call_entries.ts";
import type { CoverageSettings } from "../../src/hook/coverage_settings.ts";
import { LiveCoverage } from "../../src/hook/live_coverage.ts";
import { MissingCoverage, missingCoverage } from "../../src/hook/missing_coverage.ts";
import { OriginAnswers } from "../../src/assertions/origin_answers.ts";
import { ThreadRecorder } from "../../src/hook/recorders/thread_recorder.ts";
import type { Symbolizer } from "../../src/assertions/symbolizer.ts";
import {
  EACCES,
  EBUSY,
  type FakeLibc,
  fakeLibc,
  type FakeLibcOptions,
} from "../_support/fake_libc.ts";

const A = 0x6000_0010;
const B = 0x6000_0020;
const C = 0x6000_0030;
const READ = 0x6000_0100;

interface Setting {
  readonly libc: FakeLibc;
  readonly thread: ThreadRecorder;
  readonly directory: string;
  start(name: string): LiveCoverage;
  record(...pcs: number[]): void;
}

/** Runs `body` on a thread whose kernel is a fake: each test of the fake runs what `record` says. */
function onFakeKernel(
  body: (setting: Setting) => void,
  options: FakeLibcOptions & { readonly entries?: CallEntries } = {},
  settings: Partial<CoverageSettings> = {},
): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-hook-"));
  const directory = join(folder, "run");
  const libc = fakeLibc({ pcs: { read: [BigInt(READ)] }, ...options });
  const thread = new ThreadRecorder(
    { mode: "auto", runDirectory: directory, underCommand: true, words: 512, ...settings },
    () => libc,
    () => options.entries,
  );
  try {
    body({
      libc,
      thread,
      directory,
      start(name) {
        assert.equal(thread.unavailable(), undefined);
        const coverage = new LiveCoverage(thread, { name, file: "x_test.ts" }, {
          openSymbolizer: () => symbolizer,
        });
        coverage.begin();
        return coverage;
      },
      record: (...pcs) => libc.record(...pcs.map(BigInt)),
    });
  } finally {
    thread.close();
    rmSync(folder, { recursive: true });
  }
}

const symbolizer: Symbolizer = Object.assign(new OriginAnswers("x86_64"), {
  functionsOf(pc: number) {
    if (pc === A) return ["inner", "outer"];
    return pc === B ? ["outer"] : [];
  },
  linesOf(pc: number) {
    if (pc === A) return [{ file: "include/a.h", line: 3 }, { file: "fs/x.c", line: 12 }];
    return pc === B ? [{ file: "fs/x.c", line: 12 }, { file: "fs/x.c", line: 5 }] : [];
  },
  framesOf() {
    return new Map();
  },
  checkFunction(name: string) {
    if (!["inner", "outer", "other"].includes(name)) throw new RangeError(`no ${name}`);
  },
  checkFile(file: string) {
    if (!["fs/x.c", "fs/y.c", "include/a.h"].includes(file)) throw new RangeError(`no ${file}`);
  },
});

function recordNamed(directory: string, name: string) {
  const records = readRun(directory).records.filter((record) => record.name === name);
  assert.equal(records.length, 1, name);
  return records[0];
}

test("a record holds what ran between begin and end, without the hook's own calls", () => {
  onFakeKernel(({ start, record, directory }) => {
    record(C);
    const coverage = start("one");
    record(A, B, A);
    assert.deepEqual([...coverage.pcs()], [A, B]);
    coverage.end("passed");
    record(C);
    const { pcs, hits, outcome, file, scope, truncated, shared } = recordNamed(directory, "one");
    assert.deepEqual([...pcs], [A, B]);
    assert.deepEqual([...hits!], [2, 1]);
    assert.deepEqual({ outcome, file, scope }, {
      outcome: "passed",
      file: "x_test.ts",
      scope: "thread",
    });
    assert.deepEqual({ truncated, shared }, { truncated: false, shared: false });
    assert.deepEqual([...coverage.pcs()], [A, B], "it can still be asked");
  });
});

test("where it is known in which functions calls begin, a record tells what ran in each, and how often", () => {
  const entries = {
    start: Float64Array.of(A - 5, C - 5),
    end: Float64Array.of(A + 5, C + 5),
    origin: Uint16Array.of(39, 257),
  };
  onFakeKernel(({ start, record, directory }) => {
    const coverage = start("by call");
    record(B, A, B, A, C, B);
    assert.deepEqual(coverage.calls(), [
      { name: "between calls", functions: ["outer"], points: 1 },
      { name: "getpid", functions: ["inner", "outer"], points: 2 },
      { name: "openat", functions: ["outer"], points: 2 },
    ]);
    assert.equal(coverage.hits("outer"), 3);
    assert.equal(coverage.hits("outer", { origin: "call:getpid" }), 2);
    coverage.end("passed");
    const { pcs, hits, origins } = recordNamed(directory, "by call");
    assert.deepEqual([[...pcs], [...hits!]], [[A, B, C], [2, 3, 1]]);
    assert.deepEqual(origins, [
      { origin: 0xc00, points: Uint32Array.of(1), hits: Uint32Array.of(1) },
      { origin: 39, points: Uint32Array.of(0, 1), hits: Uint32Array.of(2, 1) },
      { origin: 257, points: Uint32Array.of(1, 2), hits: Uint32Array.of(1, 1) },
    ]);
  }, { entries });
});

test("a kernel whose entries cannot be had is recorded without calls", () => {
  onFakeKernel(({ start, record, directory }) => {
    const coverage = start("plain");
    record(A);
    assert.throws(() => coverage.calls(), /^TypeError: Cannot tell which system calls/);
    coverage.end("passed");
    assert.equal(recordNamed(directory, "plain").origins, undefined);
  });
});

test("a record is in the folder before the next test begins", () => {
  onFakeKernel(({ start, record, directory }) => {
    for (const name of ["one", "two"]) {
      const coverage = start(name);
      record(A);
      coverage.end("failed");
      assert.equal(recordNamed(directory, name).outcome, "failed");
    }
  });
});

test("tests that are open at the same time are marked, and each gets what ran while it was open", () => {
  onFakeKernel(({ start, record, directory, libc }) => {
    const first = start("first");
    record(A);
    const second = start("second");
    record(B);
    first.end("passed");
    record(C);
    second.end("passed");
    const alone = start("alone");
    record(C);
    alone.end("passed");
    assert.deepEqual([...recordNamed(directory, "first").pcs], [A, B]);
    assert.deepEqual([...recordNamed(directory, "second").pcs], [B, C]);
    assert.deepEqual([...recordNamed(directory, "alone").pcs], [C]);
    const shared = readRun(directory).records.map((record) => [record.name, record.shared]);
    assert.deepEqual(
      new Map(shared as [string, boolean][]),
      new Map([["first", true], ["second", true], ["alone", false]]),
    );
    assert.equal(libc.log.filter((step) => step === "open").length, 1, "one device per thread");
  });
});

test("a nested test is part of the one around it", () => {
  onFakeKernel(({ start, record, directory }) => {
    const outer = start("outer");
    record(A);
    const inner = start("inner");
    record(B);
    inner.end("passed");
    record(C);
    outer.end("passed");
    assert.deepEqual([...recordNamed(directory, "inner").pcs], [B]);
    assert.deepEqual([...recordNamed(directory, "outer").pcs], [A, B, C]);
  });
});

test("a full buffer marks the record, and only that", () => {
  onFakeKernel(({ start, record, directory }) => {
    const full = start("full");
    record(...Array.from({ length: 600 }, (_, index) => A + index));
    assert.equal(full.record.truncated, false, "not known before its end");
    full.end("passed");
    const after = start("after");
    record(B);
    after.end("passed");
    assert.equal(recordNamed(directory, "full").truncated, true);
    assert.equal(recordNamed(directory, "full").pcs.length, 511);
    assert.equal(recordNamed(directory, "after").truncated, false);
  });
});

test("ending twice writes one record", () => {
  onFakeKernel(({ start, directory }) => {
    const coverage = start("once");
    coverage.end("failed");
    coverage[Symbol.dispose]();
    assert.equal(recordNamed(directory, "once").outcome, "failed");
  });
});

test("only what happens before the end makes a record asynchronous", () => {
  onFakeKernel(({ start, directory }) => {
    const late = start("late");
    late.end("passed");
    late.markAsynchronous();
    const waits = start("waits");
    waits.markAsynchronous();
    waits.end("passed");
    assert.equal(late.record.callingThreadOnly, false);
    assert.equal(recordNamed(directory, "late").callingThreadOnly, false);
    assert.equal(recordNamed(directory, "waits").callingThreadOnly, true);
  });
});

test("functions, lines and hits come from the symbolizer, and asking is not recorded", () => {
  onFakeKernel(({ start, record, directory }) => {
    const coverage = start("asks");
    record(A, A, A, B, C);
    assert.deepEqual(coverage.functions(), ["inner", "outer"]);
    assert.deepEqual(coverage.lines("fs/x.c"), [5, 12]);
    assert.deepEqual(coverage.lines("fs/y.c"), []);
    assert.throws(() => coverage.lines("x.c"), RangeError);
    assert.equal(coverage.hits("inner"), 3);
    assert.equal(coverage.hits("outer"), 3);
    assert.equal(coverage.hits("other"), 0);
    assert.equal(coverage.reached("outer"), true);
    assert.equal(coverage.reached("other"), false);
    for (const question of [() => coverage.hits("othr"), () => coverage.reached("othr")]) {
      assert.throws(question, RangeError);
    }
    coverage.end("passed");
    assert.deepEqual([...recordNamed(directory, "asks").pcs], [A, B, C]);
  });
});

test("a record that cannot be written does not make the test fail, unless coverage is required", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-hook-"));
  const notFolder = join(folder, "file");
  writeFileSync(notFolder, "");
  try {
    onFakeKernel(({ start }) => start("lost").end("passed"), {}, { runDirectory: notFolder });
    const required = { runDirectory: notFolder, mode: "require" } as const;
    onFakeKernel(
      ({ start }) => {
        assert.throws(() => start("lost").end("passed"), /EEXIST|ENOTDIR|File exists/);
        start("failed by itself").end("failed");
      },
      {},
      required,
    );
  } finally {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  }
});

test("a body that outlives the tests of its file is of a test that the runner gave up", () => {
  onFakeKernel(({ start, record, thread, directory }) => {
    const coverage = start("goes on");
    record(A);
    thread.close();
    const { outcome, pcs } = recordNamed(directory, "goes on");
    assert.deepEqual([outcome, [...pcs]], ["failed", [A]]);
    start("of the next file").end("passed");
    coverage.end("passed");
    assert.equal(recordNamed(directory, "goes on").outcome, "failed");
  });
});

test("closing gives everything back, and a later test opens it again", () => {
  onFakeKernel(({ start, thread, libc, directory }) => {
    start("one").end("passed");
    assert.ok(thread.hasRecords);
    thread.close();
    assert.equal(libc.openDescriptors.size, 0);
    assert.equal(libc.mappings.size, 0);
    assert.ok(!thread.hasRecords);
    start("two").end("passed");
    assert.equal(readRun(directory).records.length, 2);
    assert.equal(readdirSync(directory).length, 2);
  });
});

test("a kernel without coverage calls is unavailable, and its device is closed", () => {
  onFakeKernel(({ thread, libc }) => {
    assert.equal(thread.unavailable()?.reason, "no-callbacks");
    assert.equal(libc.openDescriptors.size, 0);
  }, { pcs: {} });
});

test("a device that cannot be opened is asked for once, and required coverage is then an error", () => {
  onFakeKernel(
    ({ thread, libc }) => {
      const why = thread.unavailable();
      assert.ok(why instanceof KcovUnavailableError);
      assert.equal(thread.unavailable(), why);
      assert.equal(libc.log.filter((step) => step === "open").length, 1);
      assert.throws(
        () => missingCoverage("t", why, thread.mode),
        (error) => error === why,
      );
    },
    { fail: { open: EACCES } },
    { mode: "require" },
  );
});

test("a thread that another tracer records is busy", () => {
  onFakeKernel(({ thread }) => {
    assert.equal(thread.unavailable()?.reason, "busy");
  }, { fail: { KCOV_ENABLE: EBUSY } });
});

test("coverage that is turned off touches nothing", () => {
  onFakeKernel(
    ({ thread, libc }) => {
      assert.match(thread.unavailable()?.message ?? "", /unset KERNELCOV$/);
      missingCoverage("t", thread.unavailable()!, thread.mode);
      assert.deepEqual(libc.log, []);
    },
    {},
    { mode: "off" },
  );
});

test("questions to coverage that is missing are errors that say why", () => {
  const why = new KcovUnavailableError("no-debugfs", "debugfs is not mounted: mount it");
  const coverage = new MissingCoverage("name", why);
  assert.equal(coverage.available, false);
  const questions = [
    () => coverage.pcs(),
    () => coverage.hits("x"),
    () => coverage.reached("x"),
    () => coverage.functions(),
    () => coverage.lines("x"),
  ];
  for (const question of questions) {
    assert.throws(question, (error) => {
      return error instanceof KcovUnavailableError && error.reason === "no-debugfs" &&
        /debugfs is not mounted: mount it$/.test(error.message);
    });
  }
});
