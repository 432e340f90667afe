import assert from "node:assert/strict";
import { test } from "node:test";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import {
  buildIndex,
  buildRecord,
  randomKernel,
  randomRecords,
  smallKernel,
} from "../_support/images/index_builder.ts";

/** `file:line` to count, for the lines that a test hit. */
function countsOf(coverage: RunCoverage, test: number): Record<string, number> {
  const { image } = coverage.universe;
  const { lines, counts } = coverage.linesOf(test);
  return Object.fromEntries(
    [...lines].map((line, i) => [
      `${image.files[image.lineFile[line]]}:${image.lineNumber[line]}`,
      counts[i],
    ]),
  );
}

test("a line counts the most frequent of its blocks, and copies of it add up", () => {
  const index = smallKernel();
  const record = buildRecord(index, "pipe", [0x100, 0x120, 0x140, 0x200, 0x220], [3, 7, 2, 4, 5]);
  const coverage = new RunCoverage(buildUniverse(index), [record]);
  assert.deepEqual(countsOf(coverage, 0), {
    "fs/pipe.c:20": 3,
    "fs/pipe.c:21": 7,
    "fs/pipe.c:25": 7,
    "fs/pipe.c:26": 2,
    "fs/pipe.c:40": 4,
    "fs/pipe.c:42": 4,
    "fs/pipe.c:43": 5,
    "include/linux/mm.h:5": 7,
    "include/linux/mm.h:6": 7,
    "include/linux/mm.h:7": 5,
  });
});

test("a declaration and a call count how often they were entered, not the loops within", () => {
  const index = buildIndex(
    [
      { name: "outer", file: "a.c", line: 1, endLine: 9 },
      { name: "inlined", file: "a.c", line: 20, endLine: 29 },
    ],
    [
      { offset: 0x00, frames: [{ function: 0, line: 1 }], claims: [1, 2] },
      { offset: 0x10, frames: [{ function: 1, line: 21 }, { function: 0, line: 3 }], claims: [] },
      { offset: 0x20, frames: [{ function: 1, line: 22 }, { function: 0, line: 3 }], claims: [] },
      { offset: 0x30, frames: [{ function: 1, line: 23 }, { function: 0, line: 3 }], claims: [] },
    ].map((point) => ({
      ...point,
      claims: point.claims.length > 0 ? point.claims : [point.frames[0].line, 20, 3, 1],
    })),
  );
  const records = [buildRecord(index, "t", [0x00, 0x10, 0x20], [2, 2, 500])];
  const coverage = new RunCoverage(buildUniverse(index), records);
  assert.deepEqual(countsOf(coverage, 0), {
    "a.c:1": 2,
    "a.c:2": 2,
    "a.c:3": 2,
    "a.c:20": 2,
    "a.c:21": 2,
    "a.c:22": 500,
  });
  // The block of line 23 did not run, so the inlined body ran in part; its call and declaration ran whole.
  assert.equal(coverage.totals.partialLines, 0);
  const { linePoints, lineIndirect } = coverage.universe;
  assert.deepEqual([...linePoints], [1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual([...lineIndirect], [0, 0, 1, 1, 0, 0, 0]);
});

test("where the kernel stored each PC once, every line counts 1 per test", () => {
  const index = smallKernel();
  const records = ["a", "b"].map((name) =>
    buildRecord(index, name, [0x100, 0x120, 0x140, 0x220], null)
  );
  const coverage = new RunCoverage(buildUniverse(index), records);
  assert.ok(Object.values(countsOf(coverage, 0)).every((count) => count === 1));
  assert.deepEqual(new Set(coverage.lineCount), new Set([0, 2]));
});

test("parts of one function that lie apart are not counted twice", () => {
  const index = smallKernel();
  const [headerLine, lastPoint] = [index.claimLine[index.claimStart[4] + 1], 11];
  // The last point becomes a part of pipe_write behind the other functions, as a .cold part is, that claims a
  // line of the header which pipe_write and pipe_read hold too.
  const frameFunction = Uint32Array.from(index.frameFunction);
  frameFunction[index.frameStart[lastPoint]] = 2;
  const claimLine = Uint32Array.from(index.claimLine);
  claimLine[index.claimStart[lastPoint]] = headerLine;
  const split = { ...index, frameFunction, claimLine };
  const records = [buildRecord(split, "t", [0x140, 0x220, 0x520], [2, 5, 1])];
  const coverage = new RunCoverage(buildUniverse(split), records);
  assert.equal(countsOf(coverage, 0)["include/linux/mm.h:6"], 7);
});

test("totals add up over tests: counts sum, points unite", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "write", [0x100, 0x140], [2, 1]),
    buildRecord(index, "read", [0x200, 0x220], [1, 1]),
    buildRecord(index, "nothing", []),
  ]);
  assert.deepEqual(coverage.tests.map(({ totals }) => totals), [
    // Line 21 (half of its points) and line 6 of the header (one of two copies) are partial. Line 5, where the
    // inline function is declared, is not: that its body ran in part says nothing of it.
    { functions: 2, lines: 5, partialLines: 2, points: 2 },
    { functions: 2, lines: 6, partialLines: 1, points: 2 },
    { functions: 0, lines: 0, partialLines: 0, points: 0 },
  ]);
  assert.deepEqual(coverage.totals, { functions: 3, lines: 9, partialLines: 1, points: 4 });
  const summed = new Float64Array(coverage.lineCount.length);
  for (let t = 0; t < 3; t++) {
    const { lines, counts } = coverage.linesOf(t);
    lines.forEach((line, i) => summed[line] += counts[i]);
  }
  assert.deepEqual(coverage.lineCount, summed);
  assert.equal(Math.max(...coverage.lineTests), 2);
});

test("a test's lines do not depend on the tests before it", () => {
  const index = smallKernel();
  const universe = buildUniverse(index);
  const a = buildRecord(index, "a", [0x10, 0x20, 0x140], [1, 2, 3]);
  const b = buildRecord(index, "b", [0x140, 0x220, 0x400], [5, 6, 7]);
  const both = new RunCoverage(universe, [a, b]);
  assert.deepEqual(both.linesOf(1), new RunCoverage(universe, [b]).linesOf(0));
  assert.deepEqual(both.linesOf(0), new RunCoverage(universe, [a]).linesOf(0));
});

test("system calls with two functions on one line count both", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [buildRecord(index, "t", [0x10])]);
  assert.equal(coverage.totals.functions, 2);
});

test("unresolved PCs of all tests are counted by reason", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "a", [0x10, 0x11, 0x300]),
    buildRecord(index, "b", [0x12, 0x9000]),
  ]);
  assert.deepEqual(coverage.unresolved, {
    "outside-image": 1,
    "module-image": 0,
    "not-a-point": 2,
    "tail-call": 1,
    "start-up": 0,
  });
});

test("what an empty test hits, and what ran between tests, is kept apart", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "", [0x10], null, { kind: "baseline" }),
    buildRecord(index, "", [0x400], null, { kind: "outside" }),
    buildRecord(index, "", [0x420], null, { kind: "outside" }),
    buildRecord(index, "a", [0x10, 0x100]),
    buildRecord(index, "ls", [0x200], [1], { kind: "command" }),
  ]);
  assert.deepEqual(coverage.tests.map(({ record }) => record.name), ["a", "ls"]);
  assert.deepEqual([...coverage.baseline], [0]);
  assert.deepEqual([...coverage.outside], [8, 9]);
  assert.equal(coverage.totals.points, 3);
});

test("tests with and without counts have the same lines, totals and sums, as each line by itself has", () => {
  const index = randomKernel(5, 40);
  const records = randomRecords(index, 12, 60);
  const counted = new RunCoverage(buildUniverse(index), records);
  const once = new RunCoverage(
    buildUniverse(index),
    records.map((record) => ({ ...record, hits: null })),
  );
  for (const coverage of [counted, once]) {
    const { universe, tests } = coverage;
    const lineTests = new Uint32Array(universe.linePoints.length);
    const lineCount = new Float64Array(universe.linePoints.length);
    tests.forEach(({ totals, points }, test) => {
      const { lines, counts, pointsHit } = coverage.linesOf(test);
      lines.forEach((line, i) => {
        lineTests[line]++;
        lineCount[line] += counts[i];
      });
      const groups = new Set([...lines].map((line) => universe.functions.lineGroup[line]));
      const { groupStart } = universe.functions;
      assert.deepEqual(totals, {
        functions: [...groups].filter((group) => group >= 0)
          .reduce((sum, group) => sum + groupStart[group + 1] - groupStart[group], 0),
        lines: lines.length,
        partialLines: lines.filter((line, i) => pointsHit[i] < universe.linePoints[line]).length,
        points: points.points.length,
      });
    });
    assert.deepEqual(coverage.lineTests, lineTests);
    assert.deepEqual(coverage.lineCount, lineCount);
    assert.deepEqual(coverage.lineHit, Uint8Array.from(lineTests, (tests) => tests > 0 ? 1 : 0));
    assert.equal(coverage.totals.lines, lineTests.filter((tests) => tests > 0).length);
  }
  assert.deepEqual(counted.lineTests, once.lineTests);
  assert.deepEqual(
    counted.tests.map(({ totals }) => totals),
    once.tests.map(({ totals }) => totals),
  );
});
