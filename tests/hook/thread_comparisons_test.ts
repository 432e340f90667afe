import assert from "node:assert/strict";
import { test } from "node:test";
import { KcovUnavailableError } from "../../src/errors.ts";
import { KCOV_CALL } from "../../src/kcov/origin.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { onFakeKernel } from "../_support/hook/fake_thread.ts";

/** PC, type, operands, times and origin of each pair. */
function pairs({ comparisons }: TestRecord): unknown[] {
  const { pcs, types, pairEnd, first, second, times, origins } = comparisons!;
  return [...times].map((count, pair) => {
    const at = pairEnd.findIndex((end) => pair < end);
    return [pcs[at], types[at], first[pair], second[pair], count, origins[pair]];
  });
}

test("a test's comparisons are recorded in place of its points", () => {
  onFakeKernel(({ libc, start, records }) => {
    const coverage = start("compares", { record: "cmp" });
    libc.record(0x6000_0010n);
    libc.compare([5n, 0x53n, 0n, 0x6000_0020n], [5n, 0x53n, 0n, 0x6000_0020n]);
    coverage.end("passed");
    const next = start("runs");
    libc.record(0x6000_0010n);
    libc.compare([5n, 0x53n, 0n, 0x6000_0020n]);
    next.end("passed");
    const [compares, runs] = records();
    assert.deepEqual([...compares.pcs], []);
    assert.deepEqual(pairs(compares), [[0x6000_0020, 5, 0x53n, 0n, 2, KCOV_CALL.none]]);
    assert.deepEqual([...runs.pcs], [0x6000_0010]);
    assert.equal(runs.comparisons, undefined);
  });
});

test("calls are asked for, and told where the kernel tells them", () => {
  onFakeKernel(({ libc, start, records }) => {
    const coverage = start("compares", { record: "cmp" });
    libc.compare([5n | 257n << 16n, 1n, 2n, 0x6000_0020n]);
    coverage.end("passed");
    assert.deepEqual(pairs(records()[0]), [[0x6000_0020, 5, 1n, 2n, 1, 257]]);
  }, { comparisons: "calls" });
});

test("a body that asks for comparisons gets them under a preload, which has begun with points", () => {
  onFakeKernel(({ libc, start, records }) => {
    const coverage = start("adopted");
    libc.record(0x6000_0010n);
    coverage.compare();
    libc.compare([5n, 1n, 2n, 0x6000_0020n]);
    coverage.end("passed");
    const [record] = records();
    assert.deepEqual([...record.pcs], []);
    assert.deepEqual(pairs(record), [[0x6000_0020, 5, 1n, 2n, 1, KCOV_CALL.none]]);
  });
});

test("tests that overlap are recorded alike, and nothing of the first is lost", () => {
  onFakeKernel(({ libc, start, records }) => {
    const outer = start("outer");
    libc.record(0x6000_0010n);
    const inner = start("inner", { record: "cmp" });
    outer.compare();
    libc.record(0x6000_0020n);
    inner.end("passed");
    outer.end("passed");
    const [second, first] = records();
    assert.deepEqual([first.name, [...first.pcs]], ["outer", [0x6000_0010, 0x6000_0020]]);
    assert.deepEqual([second.name, [...second.pcs]], ["inner", [0x6000_0020]]);
  });
});

test("a full buffer is told, and what it holds is kept", () => {
  onFakeKernel(({ libc, start, records }) => {
    const coverage = start("compares much", { record: "cmp" });
    for (let i = 0; i < 200; i++) libc.compare([1n, BigInt(i % 5), 1n, 0x6000_0020n]);
    coverage.end("passed");
    const [record] = records();
    assert.equal(record.truncated, true);
    // Of 511 words four are a comparison.
    assert.equal(record.comparisons!.times.reduce((sum, times) => sum + times, 0), 127);
  });
});

test("a kernel that does not record comparisons is told by name, and points are recorded instead", () => {
  onFakeKernel(({ libc, start, records }) => {
    assert.throws(
      () => start("compares", { record: "cmp" }),
      (error) =>
        error instanceof KcovUnavailableError && error.reason === "not-built-in" &&
        /CONFIG_KCOV_ENABLE_COMPARISONS=y/.test(error.message),
    );
    const adopted = start("adopted");
    adopted.compare();
    libc.record(0x6000_0010n);
    adopted.end("passed");
    const [record] = records().filter(({ name }) => name === "adopted");
    assert.deepEqual([...record.pcs], [0x6000_0010]);
  }, { comparisons: "none" });
});
