import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { crc32 } from "../../src/base/crc32.ts";

test("the checksum of standard test input is the published one", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf4_3926);
});

test("checksums are those of zlib, at any length and for all bytes", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => Math.imul(at, 0x9e37_79b1) >>> 24);
  for (let length = 0; length <= bytes.length; length += 7) {
    assert.equal(crc32(bytes.subarray(0, length)), zlib.crc32(bytes.subarray(0, length)));
  }
});
