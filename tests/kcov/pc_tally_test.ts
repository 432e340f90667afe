import assert from "node:assert/strict";
import { test } from "node:test";
import { PcTally } from "../../src/kcov/pc_tally.ts";

/** Near the top of the address space, and in a user-mode kernel. */
const HIGH = -0x7eff_0000, LOW = 0x6000_0010;

/** Entries as 32-bit halves, each with another origin. */
function areaOf(...pcs: readonly number[]): Uint32Array {
  return Uint32Array.from(
    pcs.flatMap((pc, index) => {
      const high = Math.floor(pc / 2 ** 32) & 0xffff;
      return pc === 0 ? [0, 0] : [pc >>> 0, (index << 16 | high) >>> 0];
    }),
  );
}

test("PCs are distinct and ascend, whatever their origins", () => {
  const tally = new PcTally();
  assert.equal(tally.add(areaOf(LOW, HIGH, LOW, LOW + 16), 0, 4), 4);
  assert.equal(tally.add(areaOf(1, LOW + 8, HIGH), 1, 3), 3);
  assert.deepEqual([...tally.take()], [HIGH, LOW, LOW + 8, LOW + 16]);
});

test("an entry that is not stored yet is left out, and where it stands is told", () => {
  const tally = new PcTally();
  const area = areaOf(LOW, 0, LOW + 16, 0);
  assert.equal(tally.add(area, 0, 4), 1);
  assert.deepEqual([...tally.take()], [LOW, LOW + 16]);
});

test("what was taken is not there again", () => {
  const tally = new PcTally();
  tally.add(areaOf(LOW), 0, 1);
  assert.equal(tally.take().length, 1);
  assert.equal(tally.take().length, 0);
  tally.add(areaOf(HIGH), 0, 1);
  assert.deepEqual([...tally.take()], [HIGH]);
});
