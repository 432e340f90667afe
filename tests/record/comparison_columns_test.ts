import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import type { Comparisons } from "../../src/kcov/comparisons/comparisons.ts";
import {
  decodeComparisons,
  encodeComparisons,
} from "../../src/record/columns/comparison_columns.ts";
import { parseLine, recordLine } from "../../src/record/record_line.ts";
import type { TestRecord } from "../../src/record/test_record.ts";

const COMPARISONS: Comparisons = {
  pcs: Float64Array.of(-2_128_394_905, -2_128_394_905, 2 ** 50 + 7),
  types: Uint8Array.of(5, 5, 6),
  more: Uint32Array.of(0, 9, 0xffff_ffff),
  pairEnd: Uint32Array.of(1, 1, 3),
  first: BigUint64Array.of(0x53n, 0xffff_ffff_ffff_ffffn, 1n << 63n),
  second: BigUint64Array.of(0n, 1n << 32n, 2n),
  times: Uint32Array.of(14, 0xffff_ffff, 1),
  origins: Uint16Array.of(0xffff, 0xc00, 0),
  lost: 77,
};

test("comparisons are read back as they were written", () => {
  const bytes = encodeComparisons(COMPARISONS);
  assert.deepEqual(decodeComparisons(bytes, 3, 77), COMPARISONS);
});

test("a record with comparisons is a line, and is read back from it", () => {
  const record: TestRecord = {
    ...{ name: "a test", file: "a_test.ts", outcome: "passed", durationMs: 1, scope: "thread" },
    ...{ pcs: new Float64Array(0), hits: new Uint32Array(0) },
    ...{ truncated: false, shared: false, callingThreadOnly: false, comparisons: COMPARISONS },
  };
  assert.deepEqual(parseLine(recordLine(record).trimEnd()), { record });
});

test("damaged comparisons are refused, and ask for no memory", () => {
  const bytes = encodeComparisons(COMPARISONS);
  for (const pairs of [2, 4, 1e9, -1, 0.5]) {
    assert.throws(() => decodeComparisons(bytes, pairs, 0), FormatError, `${pairs}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeComparisons(bytes.subarray(0, length), 3, 0), FormatError);
  }
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] ^= 0x80;
    try {
      decodeComparisons(damaged, 3, 0);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }
});
