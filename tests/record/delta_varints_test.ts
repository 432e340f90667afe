import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAscending, encodeAscending } from "../../src/record/columns/delta_varints.ts";

test("ascending numbers come back, whatever bytes their distances take and in whatever order", () => {
  const distances = [1, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 35, 2 ** 50];
  for (let seed = 0; seed < 200; seed++) {
    let value = seed % 2 === 0 ? -(2 ** 31) + seed : seed;
    const values = [value];
    for (let i = 0; i < 1 + seed % 40; i++) {
      value += distances[(Math.imul(seed + 1, 0x9e37_79b1) >>> (i % 29)) % (i > 20 ? 7 : 5)];
      values.push(value);
    }
    const bytes = encodeAscending(Float64Array.from(values));
    assert.deepEqual([...decodeAscending(bytes, values.length)], values);
    for (let cut = 0; cut < bytes.length; cut++) {
      assert.throws(() => decodeAscending(bytes.subarray(0, cut), values.length), /record/);
    }
    assert.throws(() => decodeAscending(bytes, values.length - 1), /bytes are left|cannot hold/);
  }
});

test("a distance of 0 is refused, in one byte or in two", () => {
  for (const bytes of [[2, 1, 0], [2, 1, 0x80, 0], [2, 0]]) {
    assert.throws(
      () => decodeAscending(Uint8Array.from(bytes), bytes.length - (bytes[2] === 0x80 ? 1 : 0)),
      /ascend/,
    );
  }
});
