import assert from "node:assert/strict";
import { test } from "node:test";
import { stretchOf } from "../../src/kcov/first_runs.ts";
import { KCOV_CALL, KCOV_HOW, KCOV_HOW_SHIFT } from "../../src/kcov/origin.ts";
import { type CollectedPoints, OriginTally } from "../../src/kcov/origin_tally.ts";

type Entry = readonly [pc: number, origin: number];

/** Entries of a collector as 32-bit halves: pairs of a PC and an origin. */
function area(...entries: readonly Entry[]): Uint32Array {
  return areaOf(entries);
}

function areaOf(entries: readonly Entry[]): Uint32Array {
  return Uint32Array.from(
    entries.flatMap(([pc, origin]) => {
      const high = Math.floor(pc / 2 ** 32) & 0xffff;
      return [pc >>> 0, (origin << 16 | high) >>> 0];
    }),
  );
}

function tallied(halves: Uint32Array, ...more: readonly Uint32Array[]): CollectedPoints {
  const tally = new OriginTally();
  for (const part of [halves, ...more]) {
    assert.equal(tally.add(part, 0, part.length / 2), part.length / 2);
  }
  return tally.take();
}

function plain({ pcs, origins }: CollectedPoints): unknown {
  return {
    pcs: [...pcs],
    origins: origins.map(({ origin, points }) => [origin, [...points]]),
  };
}

const NET_CONNECT = KCOV_HOW.net << KCOV_HOW_SHIFT | 42;
/** Near the top of the address space, and in a user-mode kernel. */
const HIGH = -0x7eff_0000, LOW = 0x6000_0010;

test("points ascend, and origins are in the order of their first runs", () => {
  const halves = area([LOW, 42], [HIGH, 42], [LOW, NET_CONNECT], [LOW + 16, 3], [LOW + 16, 42]);
  assert.deepEqual(plain(tallied(halves)), {
    pcs: [HIGH, LOW, LOW + 16],
    origins: [[42, [0, 1, 2]], [NET_CONNECT, [1]], [3, [2]]],
  });
});

test("what is taken has the order in which stretches of code first ran", () => {
  const far = LOW + 0x10_0000;
  const tally = new OriginTally();
  tally.add(area([far, 1], [HIGH, 1], [far + 8, 2], [LOW, 1], [HIGH, 2]), 0, 5);
  tally.add(area([LOW + 8, 3], [far + 0x8000, 1], [far, 1]), 0, 3);
  assert.deepEqual(
    [...tally.take().firstRuns],
    [far, HIGH, LOW, far + 0x8000].map(stretchOf),
  );
  assert.equal(tally.take().firstRuns.length, 0);
});

test("an entry that is not stored yet is skipped, and where it is told", () => {
  const halves = area([LOW, 1], [0, 0], [LOW + 8, 1], [0, 0]);
  const tally = new OriginTally();
  assert.equal(tally.add(halves, 0, 4), 1);
  assert.deepEqual(plain(tally.take()), { pcs: [LOW, LOW + 8], origins: [[1, [0, 1]]] });
});

test("the same entry of several areas counts once", () => {
  const one = area([LOW, 1], [LOW + 8, 1]), other = area([LOW + 8, 1], [LOW + 4, 1], [LOW, 2]);
  assert.deepEqual(plain(tallied(one, other)), {
    pcs: [LOW, LOW + 4, LOW + 8],
    origins: [[1, [0, 1, 2]], [2, [0]]],
  });
});

test("a tally that was taken is empty", () => {
  const tally = new OriginTally();
  tally.add(area([LOW, KCOV_CALL.pageFault]), 0, 1);
  assert.equal(tally.take().pcs.length, 1);
  assert.deepEqual(plain(tally.take()), { pcs: [], origins: [] });
});

test("many entries of many origins are as a plain program has them", () => {
  const entries: (readonly [number, number])[] = [];
  const expected = new Map<number, Set<number>>();
  let state = 1;
  for (let count = 0; count < 200_000; count++) {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0;
    const pc = LOW + (state >>> 12) % 50_000 * 4;
    const origin = state % 7 === 0 ? NET_CONNECT : state >>> 8 & 15;
    entries.push([pc, origin]);
    if (expected.get(origin)?.add(pc) === undefined) expected.set(origin, new Set([pc]));
  }
  const { pcs, origins } = tallied(areaOf(entries));
  assert.deepEqual([...pcs], [...new Set(entries.map(([pc]) => pc))].sort((a, b) => a - b));
  assert.deepEqual(origins.map(({ origin }) => origin), [...expected.keys()]);
  for (const { origin, points } of origins) {
    const found = [...points].map((index) => pcs[index]);
    assert.deepEqual(found, [...expected.get(origin)!].sort((a, b) => a - b));
  }
});
