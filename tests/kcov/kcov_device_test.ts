import assert from "node:assert/strict";
import { test } from "node:test";
import { KcovUnavailableError, SyscallError } from "../../src/errors.ts";
import { KcovDevice } from "../../src/kcov/kcov_device.ts";
import { EBUSY, EINVAL, ENOMEM, fakeLibc } from "../_support/fake_libc.ts";

const WORDS = 512;
const PC = 0xffff_ffff_8120_0005n;
const PC_NUMBER = -0x7ee0_0000 + 5;

test("a device's life is open, init, mmap, enable, disable, munmap, close", () => {
  const libc = fakeLibc();
  const device = KcovDevice.open({ words: WORDS, libc });
  device.enable();
  assert.equal(device.enabled, true);
  device.reset();
  assert.equal(device.count(), 0);
  libc.record(PC, PC);
  assert.equal(device.count(), 2);
  device.disable();
  assert.equal(device.enabled, false);
  const { pcs, hits } = device.decode(0, 2);
  assert.deepEqual([...pcs], [PC_NUMBER]);
  assert.deepEqual([...hits], [2]);
  device.close();
  assert.deepEqual(libc.log, [
    "open",
    "KCOV_INIT_TRACE",
    "mmap",
    "KCOV_ENABLE",
    "KCOV_DISABLE",
    "munmap",
    "close",
  ]);
  assert.equal(libc.openDescriptors.size, 0);
});

test("sizes that KCOV cannot map are a RangeError before any call", () => {
  for (const words of [-512, 0, 1, 2, 511, 1000, 512.5, NaN, 268_435_456, 2 ** 31, Infinity]) {
    const libc = fakeLibc();
    assert.throws(() => KcovDevice.open({ words, libc }), RangeError, `${words}`);
    assert.deepEqual(libc.log, [], `${words}`);
  }
});

test("what was opened is released in reverse order when a step of opening fails", () => {
  const expected = {
    open: ["open"],
    KCOV_INIT_TRACE: ["open", "KCOV_INIT_TRACE", "close"],
    mmap: ["open", "KCOV_INIT_TRACE", "mmap", "close"],
  };
  for (const [step, log] of Object.entries(expected)) {
    const libc = fakeLibc({ fail: { [step]: ENOMEM } });
    assert.throws(
      () => KcovDevice.open({ words: WORDS, libc }),
      (error) => error instanceof SyscallError && error.code === "ENOMEM",
    );
    assert.deepEqual(libc.log, log);
    assert.equal(libc.openDescriptors.size, 0);
    assert.equal(libc.mappings.size, 0);
  }
});

test("disposing goes on in reverse order when a step fails, and throws the first error", () => {
  for (
    const [step, call] of [
      ["KCOV_DISABLE", "ioctl(KCOV_DISABLE)"],
      ["munmap", "munmap"],
      ["close", "close"],
    ]
  ) {
    const libc = fakeLibc({ fail: { [step]: EINVAL } });
    const device = KcovDevice.open({ words: WORDS, libc });
    device.enable();
    assert.throws(
      () => device.close(),
      (error) => error instanceof SyscallError && error.syscall === call,
    );
    assert.deepEqual(libc.log.slice(-3), ["KCOV_DISABLE", "munmap", "close"]);
    assert.ok(device.closed);
    const calls = libc.log.length;
    device.close();
    assert.equal(libc.log.length, calls, "a second close does nothing");
  }
});

test("using disposes a device that is still enabled", () => {
  const libc = fakeLibc();
  {
    using device = KcovDevice.open({ words: WORDS, libc });
    device.enable();
  }
  assert.deepEqual(libc.log.slice(-3), ["KCOV_DISABLE", "munmap", "close"]);
});

test("wrong order is a TypeError that says what to do, with no call made", () => {
  const libc = fakeLibc();
  const device = KcovDevice.open({ words: WORDS, libc });
  const before = libc.log.length;
  assert.throws(() => device.disable(), /not enabled: call enable first$/);
  assert.equal(libc.log.length, before);
  device.enable();
  const enabled = libc.log.length;
  assert.throws(() => device.enable(), /it is enabled: disable it first$/);
  assert.throws(() => device.hasUniqueMode(), /disable it first$/);
  assert.equal(libc.log.length, enabled);
  device.close();
  const closed = libc.log.length;
  assert.throws(() => device.enable(), /closed: open a new one$/);
  assert.throws(() => device.disable(), /closed: open a new one$/);
  assert.throws(() => device.decode(0, 0), /closed: open a new one$/);
  assert.equal(libc.log.length, closed);
});

test("a second device on the same thread is busy, and the first goes on", () => {
  const libc = fakeLibc();
  using first = KcovDevice.open({ words: WORDS, libc });
  using second = KcovDevice.open({ words: WORDS, libc });
  first.enable();
  assert.throws(
    () => second.enable(),
    (error) => {
      assert.ok(error instanceof KcovUnavailableError);
      assert.equal(error.reason, "busy");
      assert.ok(error.cause instanceof SyscallError && error.cause.errno === EBUSY);
      assert.match(error.message, /EBUSY: close the other device of this thread/);
      return true;
    },
  );
  assert.equal(second.enabled, false);
  first.reset();
  libc.record(PC);
  assert.equal(first.count(), 1);
});

test("disabling from another thread says which thread must do it", () => {
  const libc = fakeLibc({ fail: { KCOV_DISABLE: EINVAL } });
  const device = KcovDevice.open({ words: WORDS, libc });
  device.enable();
  assert.throws(() => device.disable(), /EINVAL: disable it from the thread that enabled it$/);
});

test("a full buffer keeps its count at the capacity", () => {
  const libc = fakeLibc();
  using device = KcovDevice.open({ words: WORDS, libc });
  device.enable();
  device.reset();
  libc.record(...Array.from({ length: WORDS + 50 }, (_, index) => PC + BigInt(index)));
  assert.equal(device.capacity, WORDS - 1);
  assert.equal(device.count(), WORDS - 1);
  assert.equal(device.decode(0, device.count()).pcs.length, WORDS - 1);
});

test("a count that a stray write made impossible is clamped to the buffer", () => {
  const libc = fakeLibc();
  using device = KcovDevice.open({ words: WORDS, libc });
  device.enable();
  const [buffer] = libc.mappings.values();
  new BigUint64Array(buffer)[0] = 0xffff_ffff_ffff_ffffn;
  assert.equal(device.count(), WORDS - 1);
});

test("entries outside the buffer cannot be read", () => {
  using device = KcovDevice.open({ words: WORDS, libc: fakeLibc() });
  for (const [from, to] of [[-1, 0], [3, 2], [0, WORDS], [NaN, 1]]) {
    assert.throws(() => device.decode(from, to), RangeError);
  }
});

test("a kernel with or without unique mode is found by asking the device", () => {
  for (const unique of [true, false]) {
    using device = KcovDevice.open({ words: WORDS, libc: fakeLibc({ unique }) });
    assert.equal(device.hasUniqueMode(), unique);
  }
});

test("what runs during a pause is not recorded, and neither is the pause", () => {
  const libc = fakeLibc();
  using device = KcovDevice.open({ words: WORDS, libc });
  device.enable();
  device.reset();
  libc.record(PC);
  const value = device.pause(() => {
    libc.record(PC + 64n);
    return "value";
  });
  assert.equal(value, "value");
  assert.equal(device.count(), 1);
  libc.record(PC + 8n);
  assert.throws(() =>
    device.pause(() => {
      throw new RangeError("inside");
    }), /inside/);
  assert.equal(device.enabled, true);
  assert.deepEqual([...device.decode(0, device.count()).pcs], [PC_NUMBER, PC_NUMBER + 8]);
});
