import assert from "node:assert/strict";
import { test } from "node:test";
import { TestLookup } from "../../../src/coverage/questions/test_lookup.ts";
import { RunCoverage } from "../../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../../src/coverage/universe.ts";
import { FileView } from "../../../src/report/html/browser/line_states.js";
import { decodeSet } from "../../../src/report/html/browser/set_codec.js";
import { LineIndex } from "../../../src/report/html/browser/test_lines.js";
import type {
  FileData,
  IndexData,
  PatchData,
  RunData,
  TestChunk,
} from "../../../src/report/html/report_data.ts";
import { buildIndex, buildRecord } from "../../_support/images/index_builder.ts";
import {
  HOSTILE_NAME,
  reportFilesOf,
  reportValues,
  smallInput,
  smallRun,
} from "../../_support/html_report.ts";

const FILES = await reportFilesOf(smallInput());
const VALUES = reportValues(FILES);
const RUN = VALUES.get("run") as RunData;

/** `file:line` of the lines that test `test` ran, from the points alone. */
function linesByPoints(coverage: RunCoverage, test: number): string[] {
  const { image, linePoints } = coverage.universe;
  const lines = new Set<number>();
  for (const point of coverage.tests[test].points.points) {
    for (let c = image.claimStart[point]; c < image.claimStart[point + 1]; c++) {
      if (linePoints[image.claimLine[c]] !== 0) lines.add(image.claimLine[c]);
    }
  }
  return [...lines].sort((a, b) => a - b)
    .map((line) => `${image.files[image.lineFile[line]]}:${image.lineNumber[line]}`);
}

test("a report has its shell, and a data file for each source file and each group of tests", () => {
  assert.deepEqual([...FILES.keys()].sort(), [
    "data/f0.js",
    "data/f1.js",
    "data/f2.js",
    "data/index.js",
    "data/patch.js",
    "data/run.js",
    "data/t0.js",
    "index.html",
    "kernelcov.css",
    "kernelcov.js",
  ]);
});

test("the same run gives the same report", async () => {
  assert.deepEqual(await reportFilesOf(smallInput()), FILES);
});

test("the shell names nothing outside its folder", () => {
  for (const path of ["index.html", "kernelcov.css", "kernelcov.js"]) {
    assert.doesNotMatch(FILES.get(path)!, /https?:|\/\/[a-z]+\.|@import url|\bfetch\(|innerHTML/);
  }
  assert.doesNotMatch(FILES.get("kernelcov.js")!, /^\s*(?:import|export) /m);
});

test("the tables add up to the run's totals", () => {
  const coverage = smallRun();
  const sum = (column: readonly number[]): number => column.reduce((a, b) => a + b, 0);
  assert.deepEqual(RUN.lines, { hit: coverage.totals.lines, all: coverage.universe.counts.lines });
  assert.equal(sum(RUN.files.lines), RUN.lines.all);
  assert.equal(sum(RUN.files.linesHit), RUN.lines.hit);
  assert.equal(sum(RUN.files.functions), RUN.functions.all);
  assert.equal(sum(RUN.files.functionsHit), RUN.functions.hit);
  assert.deepEqual(RUN.points, {
    hit: coverage.totals.points,
    all: coverage.universe.counts.points,
  });
});

test("tests keep their names, flags and order", () => {
  assert.deepEqual(RUN.tests.name, [
    "pipe > writes",
    HOSTILE_NAME,
    "sock > reads",
    "nothing",
    "pipe > writes",
  ]);
  assert.deepEqual(RUN.tests.failed, [0, 1, 0, 0, 0]);
  assert.deepEqual(RUN.tests.doubts.map((text) => text !== ""), [false, true, false, false, false]);
  assert.match(RUN.tests.doubts[1], /truncated/);
  assert.equal(RUN.tests.testFiles[RUN.tests.file[2]], "tests/sock_test.ts");
});

test("what the numbers leave out is in the report", () => {
  assert.ok(RUN.notes.some((note) => /truncated/.test(note)));
  assert.ok(RUN.notes.some((note) => /tail call/.test(note)));
  assert.ok(RUN.notes.some((note) => /^no source: 1 file of 3 files/.test(note)));
});

test("a folder counts each of its tests once", () => {
  const { path, tests } = RUN.directories;
  const testsOf = new Map(path.map((folder, id) => [folder, tests[id]]));
  assert.equal(testsOf.get(""), 4);
  assert.equal(testsOf.get("fs"), 3);
  assert.equal(testsOf.get("net"), 1);
  assert.equal(testsOf.get("include/linux"), 2);
});

test("a source page has for each line the tests that its points have", () => {
  const coverage = smallRun();
  const lookup = new TestLookup(coverage);
  const { image, linePoints } = coverage.universe;
  let seen = 0;
  RUN.files.path.forEach((path, file) => {
    const data = VALUES.get(`f${file}`) as FileData;
    const view = new FileView(data);
    view.numbers.forEach((number, index) => {
      const line = [...image.lineFile.keys()].find((id) =>
        image.files[image.lineFile[id]] === path && image.lineNumber[id] === number
      )!;
      const expected = lookup.testsOfLine(line);
      assert.deepEqual(
        [...view.testsOfLine(index)].sort(([a], [b]) => a - b),
        expected.map(({ test, pointsHit }) => [test, pointsHit]),
      );
      assert.equal(data.tests[index], expected.length);
      assert.equal(data.points[index], linePoints[line]);
      for (const { test } of expected) assert.ok(view.linesOfTest(test).has(index));
      seen++;
    });
  });
  assert.equal(seen, coverage.universe.counts.lines);
});

test("a line's state tells all, some and none of its points, functions never entered and tail calls apart", () => {
  const view = new FileView(VALUES.get(`f${RUN.files.path.indexOf("fs/pipe.c")}`) as FileData);
  assert.equal(view.stateOf(20), "all");
  assert.equal(view.stateOf(12), "none");
  assert.equal(view.stateOf(51), "unknown");
  assert.equal(view.stateOf(22), "blank");
  const socket = new FileView(VALUES.get(`f${RUN.files.path.indexOf("net/socket.c")}`) as FileData);
  assert.equal(socket.stateOf(5), "none");
  assert.equal(socket.stateOf(30), "never");
  const header = new FileView(
    VALUES.get(`f${RUN.files.path.indexOf("include/linux/mm.h")}`) as FileData,
  );
  assert.equal(header.stateOf(5), "all");
});

test("a line is told apart that was run though none of its points was hit", async () => {
  const image = buildIndex([
    { name: "outer", file: "a.c", line: 4, endLine: 9 },
    { name: "inner", file: "a.h", line: 1, endLine: 3 },
  ], [
    { offset: 0x10, frames: [{ function: 0, line: 4 }], claims: [4] },
    { offset: 0x20, frames: [{ function: 0, line: 5 }], claims: [5] },
    {
      offset: 0x30,
      frames: [{ function: 1, line: 2 }, { function: 0, line: 5 }],
      claims: [2, "a.c:5"],
    },
  ]);
  const coverage = new RunCoverage(buildUniverse(image), [
    buildRecord(image, "passes", [0x30]),
    buildRecord(image, "hits", [0x10, 0x20]),
    buildRecord(image, "both", [0x20, 0x30]),
  ]);
  const passing = new RunCoverage(buildUniverse(image), [buildRecord(image, "passes", [0x30])]);
  const viewOf = async (run: RunCoverage): Promise<FileView> =>
    new FileView(reportValues(await reportFilesOf({ coverage: run })).get("f0") as FileData);
  const view = await viewOf(coverage);
  assert.deepEqual([...view.testsOfLine(1)].sort(), [[0, 0], [1, 1], [2, 1]]);
  assert.equal(view.stateOf(5), "all");
  assert.equal((await viewOf(passing)).stateOf(5), "some");
});

test("a line of very many copies has its tests, without shares", async () => {
  const copies = Array.from({ length: 60 }, (_, i) => i);
  const image = buildIndex(
    [
      { name: "inline", file: "a.h", line: 1, endLine: 3 },
      ...copies.map((i) => ({
        name: `f${i}`,
        file: "a.c",
        line: 10 + 10 * i,
        endLine: 15 + 10 * i,
      })),
    ],
    copies.map((i) => ({
      offset: 0x10 * (i + 1),
      frames: [{ function: 0, line: 2 }, { function: 1 + i, line: 12 + 10 * i }],
      claims: [2],
    })),
  );
  const coverage = new RunCoverage(
    buildUniverse(image),
    [0, 1, 2].map((i) => buildRecord(image, `test ${i}`, [0x10 * (i + 1), 0x300])),
  );
  const view = new FileView(reportValues(await reportFilesOf({ coverage })).get("f0") as FileData);
  assert.deepEqual([...view.testsOfLine(0)], [[0, undefined], [1, undefined], [2, undefined]]);
  assert.deepEqual([...view.linesOfTest(1)], [0]);
});

test("a source that is not at hand is null, one that is is whole", () => {
  const source = (path: string): string | null =>
    (VALUES.get(`f${RUN.files.path.indexOf(path)}`) as FileData).source;
  assert.equal(source("net/socket.c"), null);
  assert.equal(source("fs/pipe.c"), smallInput().readSource!("fs/pipe.c"));
});

test("a test page has the lines of the test's points, by function", () => {
  const coverage = smallRun();
  const index = new LineIndex(RUN, VALUES.get("index") as IndexData);
  const { tests } = VALUES.get("t0") as TestChunk;
  tests.forEach((data, test) => {
    const functions = index.functionsOf(decodeSet(data.lines));
    assert.deepEqual(
      functions.flatMap(({ path, numbers }) => numbers.map((number) => `${path}:${number}`)),
      linesByPoints(coverage, test),
    );
  });
  const [first] = index.functionsOf(decodeSet(tests[0].lines));
  assert.deepEqual([first!.name, first!.path, first!.first], [
    "__do_sys_pipe2, __x64_sys_pipe2",
    "fs/pipe.c",
    10,
  ]);
});

test("a test page has the lines and points that no other test has", () => {
  const { tests } = VALUES.get("t0") as TestChunk;
  const index = new LineIndex(RUN, VALUES.get("index") as IndexData);
  const own = (test: number): string[] =>
    index.functionsOf(decodeSet(tests[test].own))
      .flatMap(({ path, numbers }) => numbers.map((number) => `${path}:${number}`));
  const coverage = smallRun();
  const all = coverage.tests.map((_, test) => linesByPoints(coverage, test));
  all.forEach((lines, test) => {
    const same = tests[test].repeats?.tests ?? [test];
    const others = new Set(all.flatMap((list, other) => same.includes(other) ? [] : list));
    assert.deepEqual(own(test), lines.filter((line) => !others.has(line)));
    assert.equal(RUN.tests.ownLines[test], own(test).length);
  });
});

test("a test that was run twice has its repeats and its similar tests", () => {
  const { tests } = VALUES.get("t0") as TestChunk;
  assert.deepEqual(tests[0].repeats, { tests: [0, 4], steady: 2, flaky: 1 });
  assert.equal(tests[1].repeats, undefined);
  assert.deepEqual(tests[0].similar[0], [4, 667]);
  assert.deepEqual(tests[3].similar, []);
});

test("a patch page tells covered, uncovered and not built hunks and files that need every test apart", () => {
  const patch = VALUES.get("patch") as PatchData;
  assert.deepEqual(
    patch.files.map(({ path, hunks }) => [path, ...hunks.map(({ state }) => state)]),
    [
      ["fs/pipe.c", "covered"],
      ["net/socket.c", "uncovered"],
      ["fs/ntfs3/super.c", "not-built"],
      ["init/Kconfig", "run-all"],
    ],
  );
  assert.deepEqual(patch.runAll.map(({ path }) => path), ["init/Kconfig"]);
  assert.deepEqual(patch.files[0].hunks[0].rows, [
    [" ", '\tline_20("x", 0);', 20, 2],
    ["-", '\tline_21("x", 0);', 21, 2],
    ["+", '\tline_21("<b>", 1);', 0, -1],
    [" ", '\tline_22("x", 0);', 22, -1],
  ]);
  assert.deepEqual([...patch.files[0].hunks[0].tests].sort(), [0, 1]);
});
