import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestRecord } from "../../src/record/test_record.ts";
import { commonPoints } from "../../src/tracer/ledger/common_points.ts";

function record(points: Record<number, number>, hasHits = true): TestRecord {
  return {
    name: "",
    file: "",
    outcome: "passed",
    durationMs: 0,
    scope: "tree",
    pcs: Float64Array.from(Object.keys(points), Number) as TestRecord["pcs"],
    hits: hasHits ? Uint32Array.from(Object.values(points)) : null,
    truncated: false,
    shared: false,
    callingThreadOnly: false,
  };
}

test("two records' common points are those of both, as often as in either", () => {
  const common = commonPoints(record({ 1: 5, 3: 1, 4: 9, 9: 2 }), record({ 2: 1, 3: 4, 9: 1 }));
  assert.deepEqual([...common.pcs], [3, 9]);
  assert.deepEqual([...common.hits!], [1, 1]);
  assert.equal(commonPoints(record({ 1: 1 }, false), record({ 1: 1 })).hits, null);
  assert.equal(commonPoints(record({ 1: 1 }), record({})).pcs.length, 0);
});
