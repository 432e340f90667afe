import assert from "node:assert/strict";
import { test } from "node:test";
import { xxh32 } from "../../src/base/xxh32.ts";

const encoder = new TextEncoder();

test("xxh32() gives the digests that the algorithm's description and its other programs give", () => {
  // From the description's own program and from xxhsum.
  for (
    const [text, digest] of [
      ["", 0x02cc5d05],
      ["a", 0x550d7456],
      ["abc", 0x32d153ff],
      ["Nobody inspects the spammish repetition", 0xe2293b2f],
    ] as const
  ) {
    assert.equal(xxh32(encoder.encode(text)), digest, text);
  }
});

test("xxh32() does not depend on where the bytes lie, and tells any changed byte", () => {
  const bytes = Uint8Array.from({ length: 61 }, (_, at) => at * 37);
  const digest = xxh32(bytes);
  for (let shift = 1; shift < 8; shift++) {
    const larger = new Uint8Array(80);
    larger.set(bytes, shift);
    assert.equal(xxh32(larger.subarray(shift, shift + bytes.length)), digest);
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice();
    changed[at] ^= 1 << at % 8;
    assert.notEqual(xxh32(changed), digest, `byte ${at}`);
  }
});
