import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSet } from "../../../src/report/html/browser/set_codec.js";
import { encodeSet } from "../../../src/report/html/set_codec.ts";

/** Ascending numbers below `limit`, each there with probability `density`. */
function randomSet(limit: number, density: number, seed: number): number[] {
  let state = seed;
  const ids: number[] = [];
  for (let id = 0; id < limit; id++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    if (state / 0x7fff_ffff < density) ids.push(id);
  }
  return ids;
}

test("decodeSet reads back what encodeSet wrote", () => {
  const sets = [[], [0], [1], [5], [0, 1], [0, 1, 2, 3], [31, 32, 33], [0, 63, 64], [299_999], [
    7,
    1_000_000,
    1_000_001,
  ], [4_294_967_295]];
  for (const density of [0.0005, 0.01, 0.1, 0.5, 0.9, 0.999, 1]) {
    for (let seed = 1; seed <= 5; seed++) sets.push(randomSet(3000, density, seed));
  }
  for (const ids of sets) {
    const text = encodeSet(ids);
    assert.deepEqual(decodeSet(text), ids);
    assert.match(text, /^[.A-Za-z0-9_-]*$/);
  }
});

test("encodeSet takes the shorter of runs and bitmap", () => {
  const everyOther = Array.from({ length: 5000 }, (_, i) => 2 * i);
  assert.equal(encodeSet(everyOther).length, 1 + Math.ceil(9999 / 6));
  assert.ok(encodeSet(Array.from({ length: 10_000 }, (_, i) => i)).length < 6);
  assert.equal(encodeSet([10_000]).length, 3);
});
