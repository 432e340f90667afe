import assert from "node:assert/strict";
import { test } from "node:test";
import { FormatError } from "../../src/errors.ts";
import { LONGEST_ORDER, traceOrder } from "../../src/kcov/trace_order.ts";
import { decodeOrder, encodeOrder } from "../../src/record/columns/trace_order.ts";
import { parseLine, recordLine } from "../../src/record/record_line.ts";
import { movePcs } from "../../src/record/run_modules.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { testRecord } from "../_support/test_records.ts";

/** A record of three PCs with the order of six hits. */
const ORDERED = testRecord({
  order: { points: Uint32Array.of(0, 2, 1, 1, 1, 0), cut: 7, full: false },
});

/** A line's record. */
function parsed(line: string): TestRecord {
  const found = parseLine(line.slice(0, -1));
  assert.ok("record" in found);
  return found.record;
}

test("an order comes back from a record's line as it was", () => {
  assert.deepEqual(parsed(recordLine(ORDERED)), ORDERED);
  const plain = testRecord();
  assert.equal(parsed(recordLine(plain)).order, undefined);
  const empty = { ...plain, order: { points: new Uint32Array(0), cut: 0, full: true } };
  assert.deepEqual(parsed(recordLine(empty)), empty);
});

test("a record with an order has all that readers of before look at", () => {
  const line = recordLine(ORDERED);
  const before = JSON.parse(recordLine(testRecord()).slice(0, -9)) as Record<string, unknown>;
  const now = JSON.parse(line.slice(0, -9)) as Record<string, unknown>;
  const { order: _order, ordered: _ordered, orderCut: _cut, orderFull: _full, ...rest } = now;
  assert.deepEqual(rest, before);
});

test("traceOrder() keeps each hit of a buffer, and counts what is beyond its bound", () => {
  const words = [0x8100_0010, 0x8100_0200, 0x8100_0010, 0x8100_0030];
  const halves = Uint32Array.from([9, 9, ...words.flatMap((low) => [low, 0xffff_ffff])]);
  const pcs = Float64Array.of(-0x7eff_fff0, -0x7eff_ffd0, -0x7eff_fe00);
  const all = { points: Uint32Array.of(0, 2, 0, 1), cut: 0, full: false };
  assert.deepEqual(traceOrder(halves, 1, 5, pcs, false), all);
  const part = { points: Uint32Array.of(2, 0), cut: 0, full: true };
  assert.deepEqual(traceOrder(halves, 2, 4, pcs, true), part);
  // What is no PC of the record.
  const { points: known } = traceOrder(halves, 1, 5, pcs.subarray(0, 2), false);
  assert.deepEqual(known, Uint32Array.of(0, 0, 1));
  const long = new Uint32Array(2 * (LONGEST_ORDER + 5));
  const { points, cut } = traceOrder(long, 0, LONGEST_ORDER + 5, Float64Array.of(0), false);
  assert.equal(points.length, LONGEST_ORDER);
  assert.equal(cut, 5);
});

test("orders of any points come back, and damaged ones are refused", () => {
  let seed = 7;
  const random = (): number => (seed = Math.imul(seed, 0x19660d) + 0x3c6ef35f | 0) >>> 0;
  const points = Uint32Array.from({ length: 5000 }, () => random() % 300_000);
  const bytes = encodeOrder(points);
  assert.deepEqual(decodeOrder(bytes, points.length, 300_000), points);
  // Neighbours take a byte each.
  assert.equal(encodeOrder(Uint32Array.of(0, 1, 2, 1, 0)).length, 5);
  assert.throws(() => decodeOrder(bytes, points.length, 200_000), FormatError);
  assert.throws(() => decodeOrder(bytes, points.length + 1, 300_000), FormatError);
  assert.throws(() => decodeOrder(bytes, points.length - 1, 300_000), FormatError);
  assert.throws(() => decodeOrder(bytes, -1, 300_000), FormatError);
  assert.throws(() => decodeOrder(bytes, 1e9, 300_000), FormatError);
});

test("an order follows PCs of modules to where they are moved", () => {
  const section = 2 ** 50;
  const record = testRecord({
    pcs: Float64Array.of(100, section + 8, section + 2 ** 32 + 8),
    hits: Uint32Array.of(1, 2, 3),
    order: { points: Uint32Array.of(1, 0, 2, 1), cut: 0, full: false },
  });
  const moved = movePcs(record, [
    { address: section, to: 5000, size: 64 },
    { address: section + 2 ** 32, to: 50, size: 64 },
  ]);
  assert.deepEqual([...moved.pcs], [58, 100, 5008]);
  assert.deepEqual([...moved.order!.points].map((point) => moved.pcs[point]), [
    5008,
    100,
    58,
    5008,
  ]);
});
