import assert from "node:assert/strict";
import { test } from "node:test";
import { KCOV_CMP } from "../../../src/kcov/abi.ts";
import { ComparisonTally } from "../../../src/kcov/comparisons/comparison_tally.ts";
import { type Comparisons, isConstant, sizeOf } from "../../../src/kcov/comparisons/comparisons.ts";
import { KCOV_CALL } from "../../../src/kcov/origin.ts";

type Entry = readonly [type: number, first: bigint, second: bigint, pc: bigint];

const PC = 0xffff_ffff_8123_4567n;

/** A buffer of KCOV_TRACE_CMP as 32-bit halves. */
function buffer(entries: readonly Entry[]): Uint32Array {
  const words = new BigUint64Array(1 + 4 * entries.length);
  words[0] = BigInt(entries.length);
  entries.forEach((entry, at) => words.set(entry.map(BigInt), 1 + 4 * at));
  return new Uint32Array(words.buffer);
}

function tallied(entries: readonly Entry[], hasCalls = false): Comparisons {
  const tally = new ComparisonTally();
  tally.addTrace(buffer(entries), 0, entries.length, hasCalls);
  return tally.take();
}

/** The pairs of comparison `at`, with how often they were compared. */
function pairsOf(comparisons: Comparisons, at: number): (readonly [bigint, bigint, number])[] {
  const from = at === 0 ? 0 : comparisons.pairEnd[at - 1];
  return Array.from({ length: comparisons.pairEnd[at] - from }, (_, i) => [
    comparisons.first[from + i],
    comparisons.second[from + i],
    comparisons.times[from + i],
  ]);
}

test("pairs are counted by comparison, the most frequent first, with all 64 bits of their operands", () => {
  const large = 0xfedc_ba98_7654_3210n, other = large ^ 1n << 63n;
  const found = tallied([
    [6, large, other, PC],
    [6, large, large, PC],
    [6, large, other, PC],
    [1, 0x53n, 0n, PC + 5n],
  ]);
  assert.deepEqual([...found.pcs], [
    Number(BigInt.asIntN(64, PC)),
    Number(BigInt.asIntN(64, PC)) + 5,
  ]);
  assert.deepEqual([...found.types].map(sizeOf), [8, 1]);
  assert.deepEqual([...found.types].map(isConstant), [false, true]);
  assert.deepEqual(pairsOf(found, 0), [[large, other, 2], [large, large, 1]]);
  assert.deepEqual(pairsOf(found, 1), [[0x53n, 0n, 1]]);
  assert.deepEqual([...found.origins], Array(3).fill(KCOV_CALL.none));
});

test("operands that differ in one bit of any half are different pairs", () => {
  const bits = [0n, 1n, 1n << 31n, 1n << 32n, 1n << 63n];
  const entries = bits.flatMap((a) => bits.map((b): Entry => [6, a, b, PC]));
  const found = tallied([...entries, ...entries]);
  assert.equal(found.pcs.length, 1);
  assert.equal(found.first.length, 25);
  assert.deepEqual([...found.times], Array(25).fill(2));
});

test("each case of a switch is a comparison, and so is each size at one address", () => {
  const found = tallied([[5, 1n, 3n, PC], [5, 2n, 3n, PC], [5, 3n, 3n, PC], [4, 3n, 3n, PC]]);
  assert.deepEqual([...found.types], [4, 5, 5, 5]);
  assert.deepEqual([...found.first], [3n, 1n, 2n, 3n]);
});

test("the call is told where the kernel tells it", () => {
  const found = tallied([[5 | 257 << 16, 1n, 2n, PC], [5 | 3 << 16, 1n, 2n, PC]], true);
  assert.equal(found.pcs.length, 1);
  assert.deepEqual([...found.origins].sort(), [257, 3]);
});

test("of a loop's counter some pairs are kept, all are counted, and equal ones are never crowded out", () => {
  const entries = Array.from({ length: 1000 }, (_, i): Entry => [6, BigInt(i), 999n, PC]);
  const found = tallied(entries);
  assert.equal(found.first.length, KCOV_CMP.pairs + 1);
  assert.deepEqual(pairsOf(found, 0).filter(([a, b]) => a === b), [[999n, 999n, 1]]);
  const kept = found.times.reduce((sum, times) => sum + times, 0);
  assert.equal(kept + found.more[0], 1000);
  assert.equal(found.lost, 0);
});

test("a tally grows, and holds nothing of what was taken before", () => {
  const entries = Array.from(
    { length: 40_000 },
    (_, i): Entry => [5, BigInt(i % 7), BigInt(i % 11), PC + BigInt(i % 5000)],
  );
  const tally = new ComparisonTally();
  for (let round = 0; round < 2; round++) {
    tally.addTrace(buffer(entries), 0, entries.length, false);
    const found = tally.take();
    const sum = found.times.reduce((all, times) => all + times, 0);
    assert.equal(sum + found.more.reduce((all, more) => all + more, 0), 40_000);
    for (let at = 1; at < found.pcs.length; at++) assert.ok(found.pcs[at] >= found.pcs[at - 1]);
  }
  assert.equal(tally.take().pcs.length, 0);
});

test("tallies of several tests add up, with what is not kept and what was lost", () => {
  const one = tallied(Array.from({ length: 100 }, (_, i): Entry => [6, BigInt(i), 5n, PC]));
  const sum = new ComparisonTally();
  sum.add(one);
  sum.add({ ...one, lost: 3 });
  const found = sum.take();
  assert.equal(found.pcs.length, 1);
  assert.equal(found.times.reduce((all, times) => all + times, 0) + found.more[0], 200);
  assert.equal(found.more[0], 2 * one.more[0]);
  assert.equal(found.lost, 3);
});

test("entries of a collector are its pairs with their origins; one that is not stored yet is skipped", () => {
  const origin = 2n << 12n | 42n;
  const words = new BigUint64Array(8 + 4 * 4);
  const point = origin << 48n | (PC & 0xffff_ffff_ffffn);
  words.set([point, 5n | 14n << 32n, 0x53n, 0n], 8);
  words.set([point, 5n | 0x100n | 9n << 32n, 0x53n, 0n], 16);
  words.set([point, 5n | 1n << 32n, 0x53n, 0x53n], 20);
  const tally = new ComparisonTally();
  assert.equal(tally.addCollected(new Uint32Array(words.buffer), 8, 0, 4), 1);
  const found = tally.take();
  assert.deepEqual([...found.pcs], [Number(BigInt.asIntN(64, PC))]);
  assert.deepEqual(pairsOf(found, 0), [[0x53n, 0n, 14], [0x53n, 0x53n, 1]]);
  assert.deepEqual([...found.origins], [Number(origin), Number(origin)]);
  assert.deepEqual([...found.more], [9]);
});
