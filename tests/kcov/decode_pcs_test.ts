import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePcs } from "../../src/kcov/decode_pcs.ts";

/** The plain way: a map of bigints. */
function reference(words: BigUint64Array, from: number, to: number): [number, number][] {
  const counts = new Map<bigint, number>();
  for (const word of words.subarray(from, to)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .map(([word, count]): [number, number] => [Number(BigInt.asIntN(64, word)), count])
    .sort(([first], [second]) => first - second);
}

function decoded(words: BigUint64Array, from: number, to: number): [number, number][] {
  const { pcs, hits } = decodePcs(new Uint32Array(words.buffer), from, to);
  assert.equal(pcs.length, hits.length);
  return [...pcs].map((pc, index) => [pc, hits[index]]);
}

/** A small generator with a fixed seed (xorshift32), so that a failure can be repeated. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

test("nothing decodes to nothing", () => {
  assert.deepEqual(decoded(new BigUint64Array(8), 1, 1), []);
});

test("kernel addresses come out as signed numbers, ascending, with their counts", () => {
  const words = BigUint64Array.of(
    6n,
    0xffff_ffff_8100_0010n, // x86-64 text
    0x6000_0010n, // user-mode kernel
    0xffff_8000_8001_0004n, // arm64 text
    0xffff_ffff_8100_0010n,
    0xffff_ffff_c000_0001n, // module
    0xffff_ffff_8100_0010n,
  );
  assert.deepEqual(decoded(words, 1, 7), [
    [-0x7fff_7ffe_fffc, 1],
    [-0x7eff_fff0, 3],
    [-0x3fff_ffff, 1],
    [0x6000_0010, 1],
  ]);
});

test("addresses whose low halves are equal stay apart", () => {
  const words = BigUint64Array.of(0x1_0000_0008n, 0x2_0000_0008n, 8n, 0xffff_ffff_0000_0008n, 8n);
  assert.deepEqual(decoded(words, 0, 5), reference(words, 0, 5));
  assert.equal(decoded(words, 0, 5).length, 4);
});

test("zero is a value like others", () => {
  assert.deepEqual(decoded(new BigUint64Array(4), 1, 4), [[0, 3]]);
});

test("random buffers decode as with a map of bigints, whatever part is read", () => {
  const next = generator(20_261_123);
  for (const distinct of [1, 50, 3000, 40_000]) {
    const pool = Array.from({ length: distinct }, () => {
      const high = [0n, 0xffff_ffffn, 0xffff_8000n][next() % 3];
      return high << 32n | BigInt(next());
    });
    const words = new BigUint64Array(60_000);
    for (let index = 0; index < words.length; index++) words[index] = pool[next() % distinct];
    const from = next() % 1000, to = words.length - next() % 1000;
    assert.deepEqual(decoded(words, from, to), reference(words, from, to));
  }
});
