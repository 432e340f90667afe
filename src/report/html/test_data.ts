import { repeatGroups } from "../../coverage/test_repeats.ts";
import { NOTHING_LEFT_OUT } from "../../coverage/origin_selection.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { SimilarTests } from "../../coverage/questions/similar_tests.ts";
import { soleOwners } from "../../coverage/questions/sole_owners.ts";
import { originContext, originRows } from "../../coverage/questions/test_origins.ts";
import { leftOutText } from "../origins/left_out_text.ts";
import { rowText } from "../origins/origin_text.ts";
import type { TestChunk, TestData } from "./report_data.ts";
import type { ReportFiles } from "./report_files.ts";
import { encodeSet } from "./set_codec.ts";

/** A chunk of tests ends when its texts have this many characters: one page loads one chunk. */
const CHUNK_LENGTH = 200_000;
const SIMILAR = 10;

/** What a pass over the tests finds for the tables of the first page. */
export interface TestFacts {
  /** Chunk of each test. */
  readonly chunk: number[];
  /** Lines of each test that no other test ran. */
  readonly ownLines: number[];
  /** Tests that ran a line of each file and folder. */
  readonly fileTests: Uint32Array;
  readonly directoryTests: Uint32Array;
  /** Tests that ran a line of each group of functions. */
  readonly groupTests: Uint32Array;
}

/** Yields the chunks of tests and returns what else the pass over them found. */
export function* testChunks(
  coverage: RunCoverage,
  files: ReportFiles,
): Generator<TestChunk, TestFacts> {
  const { tests } = coverage;
  const owners = soleOwners(coverage);
  const facts: TestFacts = {
    chunk: [],
    ownLines: [],
    fileTests: new Uint32Array(files.imageFile.length),
    directoryTests: new Uint32Array(files.directories.length),
    groupTests: new Uint32Array(coverage.universe.functions.groupLine.length),
  };
  const similar = new SimilarTests(coverage);
  const repeats = repeatsByTest(coverage);
  const countFiles = fileCounter(coverage, files, facts);
  let chunk: TestData[] = [];
  let length = 0;
  let chunks = 0;
  for (let test = 0; test < tests.length; test++) {
    const { lines } = coverage.linesOf(test);
    countFiles(lines, test);
    const own = owners.linesOf(test, lines);
    const data: TestData = {
      lines: encodeSet(lines.map((line) => files.lineOf[line])),
      own: encodeSet(own.map((line) => files.lineOf[line])),
      ownPoints: owners.pointsOf(test, tests[test].points.points).length,
      similar: similar.of(test, SIMILAR).map((
        { test, similarity },
      ) => [test, Math.round(similarity * 1000)] as const),
      ...callsOf(coverage, test, lines),
      ...repeats.get(test),
    };
    facts.chunk.push(chunks);
    facts.ownLines.push(own.length);
    chunk.push(data);
    length += data.lines.length + data.own.length;
    for (const { lines } of data.calls ?? []) length += lines.length;
    if (length >= CHUNK_LENGTH || test === tests.length - 1) {
      yield { first: test + 1 - chunk.length, tests: chunk };
      chunk = [];
      length = 0;
      chunks++;
    }
  }
  return facts;
}

/** What a test ran by call, where that is known. */
function callsOf(
  coverage: RunCoverage,
  test: number,
  all: Uint32Array,
): Pick<TestData, "calls" | "leftOut"> {
  const { origins, leftOut = NOTHING_LEFT_OUT } = coverage.tests[test];
  if (origins === undefined) return {};
  const context = originContext(coverage, [test]);
  const rows = originRows(origins, "call", context);
  const left = leftOutText(leftOut, coverage.selection);
  return {
    ...left === undefined ? {} : { leftOut: left },
    calls: rows.map((row) => {
      const lines = coverage.linesOfPoints(row.points);
      return {
        part: row.part,
        name: rowText(context.machine, row),
        functions: functionsOf(coverage, lines),
        points: row.points.length,
        lines: encodeSet(placesOf(lines, all)),
      };
    }),
  };
}

/** Where values are in a column; both ascend, and the column has all of them. */
function placesOf(values: Uint32Array, column: Uint32Array): Uint32Array {
  let place = 0;
  return values.map((value) => {
    while (column[place] < value) place++;
    return place;
  });
}

/** Number of the functions of ascending lines. */
function functionsOf({ universe: { functions } }: RunCoverage, lines: Uint32Array): number {
  let count = 0, last = -1;
  for (const line of lines) {
    const group = functions.lineGroup[line];
    // The lines of a group lie together.
    if (group < 0 || group === last) continue;
    last = group;
    count += functions.groupStart[group + 1] - functions.groupStart[group];
  }
  return count;
}

/** Counts a test once for each function and file that its lines are in and for each folder above. */
function fileCounter(
  coverage: RunCoverage,
  files: ReportFiles,
  facts: TestFacts,
): (lines: Uint32Array, test: number) => void {
  const { image: { lineFile }, functions: { lineGroup } } = coverage.universe;
  const seen = new Int32Array(files.directories.length).fill(-1);
  return (lines, test) => {
    let last = -1, lastGroup = -1;
    for (const line of lines) {
      const group = lineGroup[line];
      // The lines of a group lie together.
      if (group >= 0 && group !== lastGroup) facts.groupTests[lastGroup = group]++;
      const imageFile = lineFile[line];
      if (imageFile === last) continue;
      last = imageFile;
      const file = files.ofImage[imageFile];
      facts.fileTests[file]++;
      let directory = files.fileDirectory[file];
      while (seen[directory] !== test) {
        seen[directory] = test;
        facts.directoryTests[directory]++;
        directory = files.directoryParent[directory];
      }
    }
  };
}

function repeatsByTest(coverage: RunCoverage): Map<number, Pick<TestData, "repeats">> {
  const found = new Map<number, Pick<TestData, "repeats">>();
  for (const { tests, steady, flaky } of repeatGroups(coverage)) {
    if (tests.length < 2) continue;
    const repeats = { repeats: { tests, steady: steady.length, flaky: flaky.length } };
    for (const test of tests) found.set(test, repeats);
  }
  return found;
}
