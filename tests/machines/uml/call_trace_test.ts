import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallFrame, CallFrames } from "../../../src/dwarf/call_frames.ts";
import { tracedCalls } from "../../../src/machines/guest/call_trace.ts";

const RBP = 6, RSP = 7;

/** Frames of functions of 0x100 bytes each: where the caller's stack pointer is, and where its frame pointer is saved. */
function framesOf(
  functions: Record<number, { register: number; offset: number; saved?: number }>,
): CallFrames {
  const frames = {
    at(address: number): CallFrame | undefined {
      const found = functions[address - address % 0x100];
      if (found === undefined) return undefined;
      const { register, offset, saved } = found;
      return { register, offset, saved: new Map(saved === undefined ? [] : [[RBP, saved]]) };
    },
  };
  return frames as unknown as CallFrames;
}

function trace(start: string, stack: string[], words: string[]): string[] {
  return ["Stack:", ...stack, "Call Trace:", ` [<${start}`, ...words.map((word) => ` [<${word}`)];
}

test("a return address that an earlier call left on the stack is passed over", () => {
  const lines = trace("00001010>] inner+0x10/0x100 (sp 80000000, bp 00000000)", [
    " 00003050 00002020 00000000 00003030",
  ], ["00003050>] ? outer+0x50/0x100", "00002020>] ? middle+0x20/0x100"]);
  const frames = framesOf({
    0x1000: { register: RSP, offset: 16 },
    0x2000: { register: RSP, offset: 16 },
    0x3000: { register: RSP, offset: 8 },
  });
  assert.deepEqual(tracedCalls(lines, frames), [
    { address: 0x1010, isFault: false, isSure: true },
    { address: 0x2020, isFault: false, isSure: true },
    { address: 0x3030, isFault: false, isSure: true },
  ]);
});

test("the place of a fault is looked up itself, that of a return by the call before it", () => {
  // 0x2000 is the first byte of a function that never called: the call is the last of the one before.
  const lines = trace("00003000>] f+0x0/0x100 (fault, sp 80000000, bp 00000000)", [
    " 00002000 00001010",
  ], []);
  const frames = framesOf({
    0x3000: { register: RSP, offset: 8 },
    0x1f00: { register: RSP, offset: 8 },
    0x1000: { register: RSP, offset: 8 },
  });
  assert.deepEqual(tracedCalls(lines, frames).map(({ address, isFault }) => [address, isFault]), [
    [0x3000, true],
    [0x2000, false],
    [0x1010, false],
  ]);
});

test("frames that are found by the frame pointer are followed through where it was saved", () => {
  const lines = trace("00001010>] f+0x10/0x100 (sp 80000000, bp 80000008)", [
    " 00000000 80000020 00002020 00000000",
    " 00000000 00003030",
  ], []);
  const frames = framesOf({
    0x1000: { register: RBP, offset: 16, saved: -16 },
    0x2000: { register: RBP, offset: 16 },
    0x3000: { register: RSP, offset: 8 },
  });
  assert.deepEqual(tracedCalls(lines, frames).map(({ address }) => address), [
    0x1010,
    0x2020,
    0x3030,
  ]);
});

test("what cannot be followed is given as unsure: no whole stack, no frames, or a frame without a rule", () => {
  const words = ["00002020>] ? middle+0x20/0x100", "00003030>] ? outer+0x30/0x100"];
  const unsure = [0x2020, 0x3030].map((address) => ({ address, isFault: false, isSure: false }));
  const plain = ["Stack:", " 00002020 00003030", "Call Trace:", ...words.map((w) => ` [<${w}`)];
  assert.deepEqual(tracedCalls(plain, framesOf({ 0x2000: { register: RSP, offset: 8 } })), unsure);
  assert.deepEqual(tracedCalls(plain, undefined), unsure);
  const lines = trace("00001010>] f+0x10/0x100 (sp 80000000, bp 00000000)", [
    " 00002020 00000007 00003030",
  ], words);
  const frames = framesOf({
    0x1000: { register: -1, offset: 0 },
    0x2000: { register: RSP, offset: 8 },
    0x3000: { register: RSP, offset: 8 },
  });
  assert.deepEqual(tracedCalls(lines, frames), [
    { address: 0x1010, isFault: false, isSure: true },
    ...unsure,
  ]);
});

test("messages without a call trace have no calls", () => {
  assert.deepEqual(tracedCalls(["Kernel panic - not syncing: no init"], undefined), []);
  assert.deepEqual(tracedCalls([], framesOf({})), []);
});
