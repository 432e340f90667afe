import assert from "node:assert/strict";
import { test } from "node:test";
import { resolvePoints, unresolvedTotal } from "../../src/coverage/point_hits.ts";
import { smallKernel } from "../_support/images/index_builder.ts";

test("resolvePoints() finds a point from the return address after its call", () => {
  const index = smallKernel();
  const hits = resolvePoints(index, {
    pcs: [0x6000_0000 + 0x10 + 5, 0x6000_0000 + 0x520 + 5],
    hits: [3, 4],
  });
  assert.deepEqual([...hits.points], [0, 11]);
  assert.deepEqual([...hits.hits!], [3, 4]);
  assert.equal(unresolvedTotal(hits.unresolved), 0);
});

test("resolvePoints() finds every point of an image and nothing beside them", () => {
  const index = smallKernel();
  const pcs: number[] = [];
  for (let offset = -0x20; offset < 0x600; offset++) pcs.push(index.base + offset);
  const hits = resolvePoints(index, { pcs, hits: null });
  const seen = [...index.pointOffset.keys()].filter((p) => index.pointUnknown[p] === 0);
  assert.deepEqual([...hits.points], seen);
  assert.equal(hits.hits, null);
  assert.equal(hits.points.length + unresolvedTotal(hits.unresolved), pcs.length);
});

test("resolvePoints() says why a PC names no point", () => {
  const index = smallKernel();
  const at = (offset: number): number => index.base + offset + index.callLength;
  const hits = resolvePoints(index, {
    pcs: [at(0) - 0x1000, at(0x11), at(0x100), at(0x300), at(0x521)],
    hits: null,
  });
  assert.deepEqual([...hits.points], [2]);
  assert.deepEqual(hits.unresolved, {
    "outside-image": 2,
    "module-image": 0,
    "not-a-point": 1,
    "tail-call": 1,
    "start-up": 0,
  });
});

test("resolvePoints() knows the points of start-up code, which no report counts", () => {
  const index = smallKernel();
  const allPointOffsets = Int32Array.from([-0x800, 0x11, ...index.allPointOffsets]).sort();
  const pcs = [-0x800, -0x7ff, 0x11, 0x12, 0x400].map((offset) => index.base + offset + 5);
  const hits = resolvePoints({ ...index, allPointOffsets }, { pcs, hits: null });
  assert.deepEqual([...hits.points], [8]);
  assert.deepEqual(hits.unresolved, {
    "outside-image": 1,
    "module-image": 0,
    "not-a-point": 1,
    "tail-call": 0,
    "start-up": 2,
  });
});

test("resolvePoints() works for the negative addresses of an x86-64 kernel", () => {
  const index = { ...smallKernel(), base: -0x7f00_0000 };
  const hits = resolvePoints(index, { pcs: [-0x7f00_0000 + 0x105], hits: [9] });
  assert.deepEqual([...hits.points], [2]);
});

test("resolvePoints() of an image without points finds nothing", () => {
  const index = { ...smallKernel(), pointOffset: new Uint32Array(0) };
  assert.deepEqual(resolvePoints(index, { pcs: [index.base + 5], hits: null }).unresolved, {
    "outside-image": 1,
    "module-image": 0,
    "not-a-point": 0,
    "tail-call": 0,
    "start-up": 0,
  });
});
