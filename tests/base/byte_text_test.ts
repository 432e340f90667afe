import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBase64, toBase64, toHex } from "../../src/base/byte_text.ts";

const BYTES = Uint8Array.from({ length: 256 }, (_, i) => i);
const TEXTS = [toBase64(BYTES), toHex(BYTES)];

/** Without the methods, as on Node.js 24. */
function withoutMethods(body: () => void): void {
  const kept = [
    [Uint8Array, "fromBase64"],
    [Uint8Array.prototype, "toBase64"],
    [Uint8Array.prototype, "toHex"],
  ] as const;
  const own = kept.map(([holder, key]) => Object.getOwnPropertyDescriptor(holder, key)!);
  for (const [holder, key] of kept) Reflect.deleteProperty(holder, key);
  try {
    body();
  } finally {
    kept.forEach(([holder, key], i) => Object.defineProperty(holder, key, own[i]));
  }
}

test("bytes are the same text with and without the runtime's methods", () => {
  assert.equal(TEXTS[1].slice(0, 8), "00010203");
  withoutMethods(() => {
    assert.deepEqual([toBase64(BYTES), toHex(BYTES)], TEXTS);
    assert.deepEqual(fromBase64(TEXTS[0]), BYTES);
    assert.throws(() => fromBase64("?"));
  });
  assert.deepEqual(fromBase64(TEXTS[0]), BYTES);
});
