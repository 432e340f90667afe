import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareCoverage,
  runSide,
  testSide,
} from "../../src/coverage/questions/compare_coverage.ts";
import { minimizeTests } from "../../src/coverage/questions/minimize_tests.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { jaccard } from "../../src/coverage/point_sets.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { SimilarTests } from "../../src/coverage/questions/similar_tests.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { uniqueCoverage } from "../../src/coverage/questions/unique_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { whichFunction, whichLine } from "../../src/coverage/questions/which_tests.ts";
import {
  buildRecord,
  randomKernel,
  randomRecords,
  smallKernel,
} from "../_support/images/index_builder.ts";
import { plainLines, plainPoints } from "../_support/plain_coverage.ts";

const KERNEL = randomKernel(7, 12);
const RECORDS = randomRecords(KERNEL, 11, 40);
const COVERAGE = new RunCoverage(buildUniverse(KERNEL), RECORDS);
const LOOKUP = new TestLookup(COVERAGE);

test("whichLine() gives for every line the tests whose records hit it, with their counts", () => {
  const plain = RECORDS.map((record) => plainLines(KERNEL, record));
  for (let line = 0; line < KERNEL.lineNumber.length; line++) {
    const file = KERNEL.files[KERNEL.lineFile[line]];
    const number = KERNEL.lineNumber[line];
    const [answer] = whichLine(LOOKUP, file, number);
    const expected = plain.flatMap((lines, t) => lines.has(`${file}:${number}`) ? [t] : []);
    assert.deepEqual(answer!.tests.map((entry) => entry.test).sort((a, b) => a - b), expected);
    const unknown = COVERAGE.universe.linePoints[line] === 0;
    assert.equal(answer!.state, unknown ? "unknown" : expected.length ? "covered" : "uncovered");
    for (const { test, count, pointsHit } of answer!.tests) {
      const hits = COVERAGE.linesOf(test);
      const at = hits.lines.indexOf(line);
      assert.equal(count, hits.counts[at]);
      assert.equal(pointsHit, hits.pointsHit[at]);
    }
  }
});

test("whichLine() says what it can where a line has no answer", () => {
  const index = smallKernel();
  const lookup = new TestLookup(
    new RunCoverage(buildUniverse(index), [buildRecord(index, "t", [0x100])]),
  );
  const state = (file: string, line: number): unknown[] => {
    const [{ state, functions, nearest }] = whichLine(lookup, file, line) as [
      ReturnType<typeof whichLine>[number],
    ];
    return [state, functions, nearest];
  };
  assert.deepEqual(state("fs/pipe.c", 20), ["covered", ["pipe_write"], []]);
  assert.deepEqual(state("fs/pipe.c", 25), ["uncovered", ["pipe_write"], []]);
  assert.deepEqual(state("fs/pipe.c", 24), ["no-code", ["pipe_write"], [21, 25]]);
  assert.deepEqual(state("fs/pipe.c", 51), ["unknown", [], [43]]);
  assert.deepEqual(state("fs/pipe.c", 1), ["no-code", [], [10]]);
  assert.deepEqual(state("fs/ext4/inode.c", 1), ["not-built", [], []]);
  assert.equal(whichLine(lookup, "pipe.c", 20)[0].file, "fs/pipe.c");
  assert.equal(whichLine(lookup, "/usr/src/linux/fs/pipe.c", 20)[0].file, "fs/pipe.c");
  assert.deepEqual(whichLine(lookup, "xpipe.c", 20).map(({ state }) => state), ["not-built"]);
});

test("whichFunction() gives the tests that enter a function, and finds twins", () => {
  const { functions, image } = COVERAGE.universe;
  const plain = RECORDS.map((record) => plainLines(KERNEL, record));
  for (let group = 0; group < functions.groupLine.length; group++) {
    const name = functions.name[functions.groupStart[group]];
    const answers = whichFunction(LOOKUP, name);
    assert.equal(answers.length, 1);
    const expected = new Map<number, number>();
    for (let line = functions.groupLine[group]; line < functions.groupLineEnd[group]; line++) {
      if (COVERAGE.universe.linePoints[line] === 0) continue;
      const key = `${image.files[image.lineFile[line]]}:${image.lineNumber[line]}`;
      plain.forEach((lines, t) => lines.has(key) && expected.set(t, (expected.get(t) ?? 0) + 1));
    }
    assert.deepEqual(new Map(answers[0].tests.map(({ test, lines }) => [test, lines])), expected);
  }
  const index = smallKernel();
  const small = new TestLookup(new RunCoverage(buildUniverse(index), []));
  assert.deepEqual(whichFunction(small, "show").map(({ line }) => line), [20, 30]);
  assert.deepEqual(whichFunction(small, "net/socket.c:show").length, 2);
  assert.deepEqual(whichFunction(small, "fs/pipe.c:show"), []);
});

test("minimizeTests() keeps every point, and no kept test can be left out", () => {
  const { kept, redundant, points } = minimizeTests(COVERAGE);
  const all = RECORDS.map((record) => plainPoints(KERNEL, record));
  const unite = (tests: readonly number[]): Set<number> =>
    new Set(tests.flatMap((t) => [...all[t]]));
  const chosen = kept.map((entry) => entry.test);
  const everything = unite([...all.keys()]);
  assert.equal(points, everything.size);
  assert.deepEqual(unite(chosen).size, everything.size);
  assert.equal(kept.length + redundant.length, RECORDS.length);
  for (const left of chosen) {
    assert.ok(unite(chosen.filter((t) => t !== left)).size < everything.size, `test ${left}`);
  }
  let total = 0;
  kept.forEach((entry, i) => {
    assert.equal(entry.total, unite(chosen.slice(0, i + 1)).size);
    assert.equal(entry.added, entry.total - total);
    total = entry.total;
  });
});

test("minimizeTests() takes the greedy best", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "left", [0x10, 0x20, 0x100]),
    buildRecord(index, "right", [0x120, 0x200]),
    buildRecord(index, "middle", [0x20, 0x100, 0x120, 0x200]),
    buildRecord(index, "rare", [0x10]),
    buildRecord(index, "empty", []),
  ]);
  // "middle" adds most, then 0x10 is missing: "left" and "rare" both have it and cost the same, so the first.
  assert.deepEqual(minimizeTests(coverage).kept.map((entry) => entry.test), [2, 0]);
});

test("uniqueCoverage() gives the points and lines that no other record has", () => {
  const found = new Map(uniqueCoverage(COVERAGE).map((entry) => [entry.test, entry]));
  RECORDS.forEach((record, t) => {
    const others = RECORDS.filter((_, o) => o !== t);
    const otherPoints = new Set(others.flatMap((other) => [...plainPoints(KERNEL, other)]));
    const otherLines = new Set(others.flatMap((other) => [...plainLines(KERNEL, other)]));
    const points = [...plainPoints(KERNEL, record)].filter((point) => !otherPoints.has(point));
    const lines = [...plainLines(KERNEL, record)].filter((line) => !otherLines.has(line));
    assert.equal(found.get(t)?.points ?? 0, points.length);
    assert.equal(found.get(t)?.lines.length ?? 0, lines.length);
  });
});

test("compareCoverage() of two tests splits their points and lines", () => {
  const groups = repeatGroups(COVERAGE);
  for (const [a, b] of [[0, 1], [5, 5], [3, 30]] as const) {
    const difference = compareCoverage(
      COVERAGE.universe,
      testSide(groups[a]),
      testSide(groups[b]),
    );
    for (
      const [what, of] of [["points", plainPoints], ["lines", plainLines]] as const
    ) {
      const left = new Set<unknown>(of(KERNEL, RECORDS[groups[a].tests[0]]));
      const right = new Set<unknown>(of(KERNEL, RECORDS[groups[b].tests[0]]));
      assert.deepEqual(difference[what], {
        onlyA: left.difference(right).size,
        onlyB: right.difference(left).size,
        both: left.intersection(right).size,
      });
    }
    const inFunctions = difference.functions.reduce((sum, { onlyA }) => sum + onlyA.length, 0);
    assert.equal(inFunctions, difference.lines.onlyA);
    assert.equal(difference.flakyPoints, 0);
  }
});

test("points that come and go between repeats are flaky, and comparisons know them", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "a", [0x10, 0x100]),
    buildRecord(index, "a", [0x10, 0x120], null, { pass: 1 }),
    buildRecord(index, "a", [0x10, 0x100, 0x120, 0x400], null, { pass: 2 }),
    buildRecord(index, "b", [0x10, 0x200]),
  ]);
  const groups = repeatGroups(coverage);
  assert.deepEqual(groups.map(({ name, tests }) => [name, [...tests]]), [
    ["a", [0, 1, 2]],
    ["b", [3]],
  ]);
  assert.deepEqual([...groups[0].steady], [0]);
  assert.deepEqual([...groups[0].flaky], [2, 3, 8]);
  const [a, b] = [testSide(groups[0]), testSide(groups[1])];
  const difference = compareCoverage(coverage.universe, a, b);
  assert.deepEqual(difference.points, { onlyA: 3, onlyB: 1, both: 1 });
  assert.equal(difference.flakyPoints, 3);
  assert.deepEqual([...runSide(coverage, groups).flaky], [2, 3, 8]);
});

test("repeats of a test are one test in every answer", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "a", [0x10, 0x100], [1, 2]),
    buildRecord(index, "b", [0x10, 0x200]),
    buildRecord(index, "a", [0x10, 0x100, 0x400], [1, 3, 1], { pass: 1 }),
    buildRecord(index, "b", [0x10, 0x200], null, { pass: 1 }),
    buildRecord(index, "b", [0x10, 0x200, 0x400], null, { pass: 2 }),
  ]);
  // 0x400, in net/socket.c, comes and goes, so that no test has to be kept for it.
  assert.deepEqual(uniqueCoverage(coverage).map(({ test, points }) => [test, points]), [
    [0, 1],
    [1, 1],
  ]);
  const { kept, redundant, points } = minimizeTests(coverage);
  assert.deepEqual([kept.map(({ test }) => test), redundant, points], [[0, 1], [], 3]);
  const lookup = new TestLookup(coverage);
  assert.deepEqual(whichLine(lookup, "fs/pipe.c", 20)[0].tests, [
    { test: 0, count: 3, pointsHit: 1, repeats: { hit: 2, of: 2 } },
  ]);
  assert.deepEqual(whichFunction(lookup, "sock_read")[0].tests, [
    { test: 0, lines: 2, repeats: { hit: 1, of: 2 } },
    { test: 1, lines: 2, repeats: { hit: 1, of: 3 } },
  ]);
  const patch = parsePatch("--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -10 +10 @@\n-a\n+b\n");
  const { tests, hunks } = whichPatch(lookup, patch);
  assert.deepEqual(tests.map(({ test, score }) => [test, score]), [[0, 0.5], [1, 0.5]]);
  assert.deepEqual(hunks[0].tests, [0, 1]);
});

test("SimilarTests finds the nearest tests exactly in small runs", () => {
  const similar = new SimilarTests(COVERAGE);
  const points = COVERAGE.tests.map((entry) => entry.points.points);
  for (let t = 0; t < points.length; t++) {
    const found = similar.of(t, 5);
    const best = points.map((other, o) => o === t ? 0 : jaccard(points[t], other))
      .sort((a, b) => b - a).slice(0, 5);
    assert.deepEqual(found.map(({ similarity }) => similarity), best);
  }
});

test("SimilarTests finds near twins among many tests", () => {
  const records = randomRecords(KERNEL, 23, 700);
  const twin = randomRecords(KERNEL, 23, 350)[349];
  const coverage = new RunCoverage(buildUniverse(KERNEL), [...records, { ...twin, name: "twin" }]);
  assert.deepEqual(new SimilarTests(coverage).of(700, 1), [{ test: 349, similarity: 1 }]);
});

test("jaccard() of equal, disjoint and empty sets", () => {
  const set = (...values: number[]): Uint32Array => Uint32Array.from(values);
  assert.equal(jaccard(set(1, 2, 3), set(2, 3, 4)), 0.5);
  assert.equal(jaccard(set(1), set(2)), 0);
  assert.equal(jaccard(set(), set()), 1);
});
