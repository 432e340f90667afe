import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import type { OriginPoints } from "../../src/kcov/origin.ts";
import { decodeOrigins, encodeOrigins } from "../../src/record/columns/origin_sets.ts";
import { madeUpOrigins, wholeNumbers } from "../_support/origin_records.ts";

/** Origins that `count` points can have, whatever `seed`. */
function madeUp(seed: number): { origins: OriginPoints[]; count: number } {
  const below = wholeNumbers(seed);
  const count = seed % 7 === 0 ? seed % 3 : 1 + below(300);
  const origins = madeUpOrigins(count, 1 + below(seed % 5 === 0 ? 200 : 12), below);
  // Where two kinds had one origin, points of the one left out may have none now.
  const covered = new Set(origins.flatMap(({ points }) => [...points]));
  const rest = Array.from({ length: count }, (_, point) => point).filter((p) => !covered.has(p));
  if (rest.length > 0) origins.push({ origin: 0xffff, points: Uint32Array.from(rest) });
  return { origins, count };
}

test("origins come back, in their order, however many there are and whatever points they share", () => {
  for (let seed = 0; seed < 300; seed++) {
    const { origins, count } = madeUp(seed);
    assert.deepEqual(decodeOrigins(encodeOrigins(origins, count), count), origins, `${seed}`);
  }
});

test("every cut of origins is refused", () => {
  for (let seed = 1; seed < 40; seed++) {
    const { origins, count } = madeUp(seed);
    const bytes = encodeOrigins(origins, count);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeOrigins(bytes.subarray(0, length), count), FormatError);
    }
    assert.throws(() => decodeOrigins(bytes, count + 1), FormatError);
    assert.throws(() => decodeOrigins(Uint8Array.of(...bytes, 0), count), FormatError);
  }
});

test("changed bytes of origins are refused, or are others that are whole", () => {
  for (let seed = 1; seed < 60; seed++) {
    const { origins, count } = madeUp(seed);
    const bytes = encodeOrigins(origins, count);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] ^= 1 << (seed + at) % 8;
      let read: OriginPoints[];
      try {
        read = decodeOrigins(changed, count);
      } catch (error) {
        assert.ok(error instanceof FormatError, `${error}`);
        continue;
      }
      // What is read could have been written: each point has an origin, and each origin points in order.
      assert.deepEqual(decodeOrigins(encodeOrigins(read, count), count), read);
    }
  }
});

test("a damaged number asks for no memory", () => {
  const far = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
  for (const bytes of [far, [1, 0, ...far], [1, 0, 8, ...far], [1, 0, 9, ...far]]) {
    assert.throws(() => decodeOrigins(Uint8Array.from(bytes), 10), FormatError);
  }
  // 3,000 origins of a million points are more than any device has room for.
  const head = [
    0xb8,
    0x17,
    ...Array.from({ length: 3000 }, (_, at) => [at & 0x7f | 0x80, at >> 7]).flat(),
  ];
  const set = [0xe0, 0x5d, 0, ...new Array<number>(2999).fill(1)];
  const bytes = Uint8Array.from([...head, 0, 0xb8, 0x84, 0x3d, ...set]);
  assert.throws(() => decodeOrigins(bytes, 1_000_000), /too many points/);
});

test("points out of order, unknown points and points of no origin are not written", () => {
  function origin(...points: number[]): OriginPoints {
    return { origin: 1, points: Uint32Array.from(points) };
  }
  for (const origins of [[], [origin(1, 0)], [origin(0, 0, 1)], [origin(0)], [origin(0, 1, 2)]]) {
    assert.throws(() => encodeOrigins(origins, 2), RangeError);
  }
  assert.throws(() => encodeOrigins([origin(0, 1), origin(0)], 2), /twice/);
  assert.throws(() => encodeOrigins([{ ...origin(0, 1), origin: 0x1_0000 }], 2), /16 bits/);
  const none = { origin: 2, points: new Uint32Array(0) };
  assert.deepEqual(decodeOrigins(encodeOrigins([origin(0, 1), none], 2), 2), [origin(0, 1)]);
});

test("a point costs no more than two bytes for its origins where 100 system calls share points", () => {
  const below = wholeNumbers(7);
  const count = 8000;
  const origins = madeUpOrigins(count, 100, below);
  const covered = new Uint8Array(count);
  for (const { points } of origins) for (const point of points) covered[point] = 1;
  assert.ok(covered.every((one) => one === 1));
  const { length } = encodeOrigins(origins, count);
  assert.ok(length < 2 * count, `${length} bytes`);
});
