import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import { stretchesOf, stretchOf } from "../../src/kcov/first_runs.ts";
import { decodeFirstRuns, encodeFirstRuns } from "../../src/record/columns/delta_varints.ts";
import { parseLine, recordLine } from "../../src/record/record_line.ts";
import { originRecord, wholeNumbers } from "../_support/origin_records.ts";

/** PCs, ascending, and the stretches of some of them in an order. */
function madeUp(seed: number): { pcs: Float64Array; firstRuns: Float64Array } {
  const below = wholeNumbers(seed);
  const base = seed % 2 === 0 ? 0x6000_0000 : -0x7f00_0000;
  const ran = Array.from({ length: below(400) }, () => base + below(200_000) * 16);
  const firstRuns = stretchesOf(Float64Array.from(ran)).filter(() => below(10) > 0);
  return { pcs: Float64Array.from(new Set(ran)).sort(), firstRuns };
}

test("stretches are those of the PCs, each once, in their order", () => {
  const pcs = Float64Array.of(0x6000_0410, 0x6000_07ff, -0x7eff_fc00, 0x6000_0400, -1, 0);
  assert.deepEqual([...stretchesOf(pcs)], [0x6000_0400, -0x7eff_fc00, -1024, 0]);
  assert.equal(stretchOf(0x3ff), 0);
});

test("the order of first runs comes back", () => {
  for (let seed = 0; seed < 200; seed++) {
    const { pcs, firstRuns } = madeUp(seed);
    assert.deepEqual(decodeFirstRuns(encodeFirstRuns(firstRuns, pcs), pcs), firstRuns, `${seed}`);
  }
});

test("stretches without a PC of the record are left out", () => {
  const pcs = Float64Array.of(0x400, 0x1000, 0x2000);
  const bytes = encodeFirstRuns(Float64Array.of(0x2000, 0x8000, 0x400), pcs);
  assert.deepEqual([...decodeFirstRuns(bytes, pcs)], [0x2000, 0x400]);
});

test("changed bytes are refused, or are another order that is whole", () => {
  for (let seed = 1; seed < 60; seed++) {
    const { pcs, firstRuns } = madeUp(seed);
    const bytes = encodeFirstRuns(firstRuns, pcs);
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] ^= 1 << (seed + at) % 8;
      let read: Float64Array;
      try {
        read = decodeFirstRuns(changed, pcs);
      } catch (error) {
        assert.ok(error instanceof FormatError, `${error}`);
        continue;
      }
      assert.equal(new Set(read).size, read.length);
      assert.deepEqual(decodeFirstRuns(encodeFirstRuns(read, pcs), pcs), read);
    }
  }
  const pcs = Float64Array.of(0x400, 0x1000);
  for (const bytes of [[0, 0], [4], [1], [2, 1, 0], [0x80], [0xff, 0xff, 0xff, 0xff, 0x0f]]) {
    assert.throws(() => decodeFirstRuns(Uint8Array.from(bytes), pcs), FormatError, `${bytes}`);
  }
});

test("a record has its order back, and one without has none", () => {
  const record = originRecord({ 0x2a: [0x400, 0x1000], 0x3c00: [0x1010] });
  const ordered = { ...record, firstRuns: Float64Array.of(0x1000, 0x400) };
  assert.deepEqual(parseLine(recordLine(ordered).slice(0, -1)), { record: ordered });
  assert.deepEqual(parseLine(recordLine(record).slice(0, -1)), { record });
});
