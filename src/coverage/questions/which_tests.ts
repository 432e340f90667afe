import {
  findFiles,
  groupAt,
  groupNames,
  hasLines,
  lineAtOrAfter,
  linesAround,
} from "./find_source.ts";
import { type RepeatIndex, repeatIndex, type RepeatShare } from "../repeat_index.ts";
import type { LeftOut } from "../origin_selection.ts";
import { OriginFinder } from "./test_origins.ts";
import type { RunCoverage } from "../run_coverage.ts";
import type { LineTest, TestLookup } from "./test_lookup.ts";

/**
 * What can be said of a line: `covered` by tests; `uncovered`; `no-code`: no point claims it, so nothing can be
 * said of it alone; `unknown`: only tail calls claim it; `not-instrumented`: the image names the file but has no
 * points in it; `not-built`: the image does not know the file.
 */
export type LineState =
  | "covered"
  | "uncovered"
  | "no-code"
  | "unknown"
  | "not-instrumented"
  | "not-built";

/** Through which origins a test reaches a place. */
export interface Reached {
  /** In the order of first runs; absent where they are not known. */
  readonly origins?: readonly number[];
}

/** A test that runs a line: the first of its repeats, and the most that one of them hit. */
export interface RunningTest extends LineTest, Reached {
  /** Of a test that was run several times: how many repeats ran the line. */
  readonly repeats?: RepeatShare;
}

/** The tests that run a line. */
export interface LineAnswer {
  readonly file: string;
  readonly line: number;
  readonly state: LineState;
  /** Names of the function that it stands in. */
  readonly functions: readonly string[];
  /** Points that claim it, and how many of them any test hit. */
  readonly points: number;
  readonly pointsHit: number;
  /** The most focused first: those with the fewest points in all. */
  readonly tests: readonly RunningTest[];
  /** Nearest lines above and below that can be covered, where this one cannot. */
  readonly nearest: readonly number[];
  /** Points of it that no test has since none of their origins counts. */
  readonly leftOut?: LeftOut;
}

/** The tests that run `line` of each file that `file` can mean; one answer, `not-built`, where it means none. */
export function whichLine(lookup: TestLookup, file: string, line: number): LineAnswer[] {
  const { universe } = lookup.coverage;
  const files = findFiles(universe, file);
  if (files.length === 0) {
    return [{
      file,
      line,
      state: "not-built",
      functions: [],
      points: 0,
      pointsHit: 0,
      tests: [],
      nearest: [],
    }];
  }
  return files.map((id) => lineAnswer(lookup, id, line));
}

function lineAnswer(lookup: TestLookup, file: number, number: number): LineAnswer {
  const { universe, linePointsHit } = lookup.coverage;
  const { image, linePoints, fileLineStart } = universe;
  const id = lineAtOrAfter(universe, file, number);
  const known = id < fileLineStart[file + 1] && image.lineNumber[id] === number;
  const points = known ? linePoints[id] : 0;
  const group = groupAt(universe, file, number);
  const tests = points === 0 ? [] : withOrigins(
    lookup.coverage,
    lookup.pointsOfLine(id),
    byFocus(lookup, lookup.testsOfLine(id)),
  );
  const nearest = points > 0 ? [] : linesAround(universe, file, id, known ? id + 1 : id);
  return {
    file: image.files[file],
    line: number,
    state: points > 0
      ? tests.length > 0 ? "covered" : "uncovered"
      : known
      ? "unknown"
      : hasLines(universe, file)
      ? "no-code"
      : "not-instrumented",
    functions: group < 0 ? [] : groupNames(universe, group),
    points,
    pointsHit: points === 0 ? 0 : linePointsHit[id],
    tests,
    nearest: nearest.map((line) => image.lineNumber[line]),
    ...(points === 0 ? {} : lookup.coverage.leftOutOf(lookup.pointsOfLine(id))),
  };
}

/** A test that entered a function. */
export interface FunctionTest extends Reached {
  /** The first of its repeats. */
  readonly test: number;
  /** Lines of the function that it hit; the most that one of its repeats did. */
  readonly lines: number;
  /** Of a test that was run several times: how many repeats entered the function. */
  readonly repeats?: RepeatShare;
}

/** The tests that enter a function. */
export interface FunctionAnswer {
  readonly function: string;
  readonly file: string;
  /** First line. */
  readonly line: number;
  /** Lines of the function that can be covered, and how many any test hit. */
  readonly lines: number;
  readonly linesHit: number;
  /** Those that hit most of its lines first. */
  readonly tests: readonly FunctionTest[];
  /** Points of it that no test has since none of their origins counts. */
  readonly leftOut?: LeftOut;
}

/** The tests that enter each function named `name`, which may be `file:name`. None: the image has no such function. */
export function whichFunction(lookup: TestLookup, name: string): FunctionAnswer[] {
  const { universe, lineHit } = lookup.coverage;
  const { functions, image, linePoints } = universe;
  const colon = name.lastIndexOf(":");
  const files = colon < 0 ? undefined : new Set(findFiles(universe, name.slice(0, colon)));
  const plain = name.slice(colon + 1);
  const answers: FunctionAnswer[] = [];
  const repeats = repeatIndex(lookup.coverage);
  for (let group = 0; group < functions.groupLine.length; group++) {
    if (files !== undefined && !files.has(functions.groupFile[group])) continue;
    const found = groupNames(universe, group).find((text) =>
      text === plain || text.startsWith(`${plain}@`)
    );
    if (found === undefined) continue;
    let lines = 0, linesHit = 0;
    const perTest = new Map<number, number>();
    const points: number[] = [];
    const end = functions.groupLineEnd[group];
    for (let line = functions.groupLine[group]; line < end; line++) {
      if (linePoints[line] === 0) continue;
      lines++;
      for (const point of lookup.pointsOfLine(line)) points.push(point);
      if (lineHit[line] === 0) continue;
      linesHit++;
      for (const test of lookup.testsOfLines(line, line + 1)) {
        perTest.set(test, (perTest.get(test) ?? 0) + 1);
      }
    }
    answers.push({
      function: found,
      file: image.files[functions.groupFile[group]],
      line: image.lineNumber[functions.groupLine[group]],
      lines,
      linesHit,
      tests: withOrigins(
        lookup.coverage,
        points,
        mostLinesFirst(repeats, [...perTest].map(([test, hit]) => ({ test, lines: hit }))),
      ),
      ...lookup.coverage.leftOutOf(points),
    });
  }
  return answers;
}

/** Tests, all repeats of one together, those that hit most lines first. */
export function mostLinesFirst(
  index: RepeatIndex,
  records: readonly FunctionTest[],
): FunctionTest[] {
  const most = (a: FunctionTest, b: FunctionTest) => a.lines >= b.lines ? a : b;
  return withoutRepeats(index, records, most)
    .sort((a, b) => b.lines - a.lines || a.test - b.test);
}

function byFocus(lookup: TestLookup, records: LineTest[]): RunningTest[] {
  const { coverage } = lookup;
  const size = (test: number): number => coverage.tests[test].size;
  return withoutRepeats(repeatIndex(coverage), records, (a, b) => ({
    test: a.test,
    pointsHit: Math.max(a.pointsHit, b.pointsHit),
    count: Math.max(a.count, b.count),
  })).sort((a, b) => size(a.test) - size(b.test) || a.test - b.test);
}

/** Adds through which origins tests reach the place of `points`, where that is known. */
export function withOrigins<Test extends { readonly test: number }>(
  coverage: RunCoverage,
  points: Iterable<number>,
  tests: readonly Test[],
): (Test & Reached)[] {
  const finder = new OriginFinder(coverage, points);
  return tests.map((entry) => {
    const origins = finder.of(entry.test);
    return origins === undefined ? entry : { ...entry, origins };
  });
}

/** Makes one of all repeats of a test. */
function withoutRepeats<Hit extends { readonly test: number }>(
  index: RepeatIndex,
  records: readonly Hit[],
  join: (a: Hit, b: Hit) => Hit,
): (Hit & { readonly repeats?: RepeatShare })[] {
  const found = new Map<number, { hit: Hit; repeats: number }>();
  for (const record of records) {
    const hit = { ...record, test: index.first[record.test] };
    const known = found.get(hit.test);
    if (known === undefined) found.set(hit.test, { hit, repeats: 1 });
    else {
      known.hit = join(known.hit, hit);
      known.repeats++;
    }
  }
  return [...found.values()].map(({ hit, repeats }) => {
    const share = index.share(hit.test, repeats);
    return share === undefined ? hit : { ...hit, repeats: share };
  });
}
