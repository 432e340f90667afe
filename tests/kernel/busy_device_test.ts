import assert from "node:assert/strict";
import { test } from "node:test";
import { KcovDevice } from "../../src/kcov/kcov_device.ts";
import { loadLibc } from "../../src/sys/load.ts";

test("a second device on this thread is busy, by the real kernel's answer", () => {
  using first = KcovDevice.open({ words: 8192 });
  using second = KcovDevice.open({ words: 8192 });
  first.enable();
  assert.throws(() => second.enable(), /EBUSY/);
  first.disable();
  second.enable();
});

test("a buffer too small for what runs is full, and says so", () => {
  const libc = loadLibc();
  using device = KcovDevice.open({ words: 512 });
  device.enable();
  device.reset();
  for (let round = 0; round < 1000; round++) libc.read(-1, null, 0n);
  const count = device.count();
  device.disable();
  assert.equal(count, device.capacity);
});

test("the real kernel takes the sizes that are allowed and no others", () => {
  for (const words of [512, 1024, 524_288]) KcovDevice.open({ words }).close();
  assert.throws(() => KcovDevice.open({ words: 513 }), RangeError);
});
