import { functionShares } from "../questions/compare_builds.ts";
import { groupNames } from "../questions/find_source.ts";
import { TestLookup } from "../questions/test_lookup.ts";
import { repeatIndex } from "../repeat_index.ts";
import type { LineShare, RunCoverage } from "../run_coverage.ts";
import { repeatGroups } from "../test_repeats.ts";
import {
  type HistoryBuild,
  type MatchedLines,
  matchLines,
  type NoCounterpart,
} from "./matched_lines.ts";

/** How much of a file or a function each build covers. */
export interface ShareHistory {
  readonly file: string;
  /** Absent of files. */
  readonly function?: string;
  /** By build; `null` where it has no such file or function with coverage points. */
  readonly shares: readonly (LineShare | null)[];
}

/** A line that tests of a build ran, and none of the next build's. */
export interface LostLine {
  readonly file: string;
  /** Its number in the newer build, and in the older one. */
  readonly line: number;
  readonly before: number;
  /** Names of the function that it stands in, in the newer build. */
  readonly functions: readonly string[];
  /** Tests of the older build that ran it: indexes there. */
  readonly tests: readonly number[];
}

/** A test that two builds have, which covers other lines in each; of lines that both have. */
export interface ChangedTest {
  /** Its indexes in the older build and in the newer one. */
  readonly before: number;
  readonly after: number;
  /** Lines, as ids of the newer build, that it no longer runs, and those that it runs now. */
  readonly lost: readonly number[];
  readonly gained: readonly number[];
  /** Lines whose text was changed, that it ran in the older build, and that it runs in the newer one. */
  readonly changedLines: number;
}

/** What became of coverage from a build to the next. */
export interface BuildStep {
  /** The place of the older build; the newer one is the next. */
  readonly from: number;
  readonly lost: readonly LostLine[];
  /** Lines that tests of the older build ran and that could not be compared, by why. */
  readonly without: Readonly<Record<NoCounterpart, number>>;
  /** Those that ran no changed line first. */
  readonly tests: readonly ChangedTest[];
  /** Indexes of tests of the older build that the newer one has not, and the other way round. */
  readonly gone: readonly number[];
  readonly added: readonly number[];
}

/** The coverage of several builds. */
export interface BuildHistory {
  readonly files: readonly ShareHistory[];
  readonly functions: readonly ShareHistory[];
  readonly steps: readonly BuildStep[];
}

/** How coverage goes from build to build, in the order in which they are given. */
export function buildHistory(builds: readonly HistoryBuild[]): BuildHistory {
  const coverages = builds.map(({ coverage }) => coverage);
  return {
    files: histories(coverages.map(fileShares)),
    functions: histories(coverages.map(functionShares)),
    steps: builds.slice(1).map((newer, from) => buildStep(builds[from], newer, from)),
  };
}

/** Of each key of any build its shares; keys are a file, or a file and a function. What no build covers is left out. */
function histories(builds: readonly ReadonlyMap<string, LineShare>[]): ShareHistory[] {
  const keys = [...new Set(builds.flatMap((shares) => [...shares.keys()]))].sort();
  return keys.map((key) => {
    const [file, name] = key.split("\n") as [string, string?];
    const shares = builds.map((build) => build.get(key) ?? null);
    return { file, ...name === undefined ? {} : { function: name }, shares };
  }).filter(({ shares }) => shares.some((share) => share !== null && share.linesHit > 0));
}

function fileShares(coverage: RunCoverage): Map<string, LineShare> {
  const { fileLineStart, image } = coverage.universe;
  const shares = image.files.map((path, file) =>
    [path, coverage.lineShare(fileLineStart[file], fileLineStart[file + 1])] as const
  );
  return new Map(shares.filter(([, { lines }]) => lines > 0));
}

function buildStep(older: HistoryBuild, newer: HistoryBuild, from: number): BuildStep {
  const matched = matchLines(older, newer);
  return {
    from,
    lost: lostLines(older.coverage, newer.coverage, matched),
    without: matched.without,
    ...changedTests(older.coverage, newer.coverage, matched),
  };
}

function lostLines(
  before: RunCoverage,
  after: RunCoverage,
  { from }: MatchedLines,
): LostLine[] {
  const { image, functions } = after.universe;
  const lookup = new TestLookup(before);
  const lost: LostLine[] = [];
  for (let line = 0; line < from.length; line++) {
    const old = from[line];
    if (old < 0 || after.lineHit[line] === 1 || before.lineHit[old] === 0) continue;
    const group = functions.lineGroup[line];
    lost.push({
      file: image.files[image.lineFile[line]],
      line: image.lineNumber[line],
      before: before.universe.image.lineNumber[old],
      functions: group < 0 ? [] : groupNames(after.universe, group),
      tests: Array.from(repeatIndex(before).distinct(lookup.testsOfLines(old, old + 1))),
    });
  }
  return lost;
}

/** A test, all its repeats together, by what names it. */
function testsByName(coverage: RunCoverage): Map<string, readonly number[]> {
  return new Map(
    repeatGroups(coverage).map(({ file, name, occurrence, tests }) => {
      const { runner = "" } = coverage.tests[tests[0]].record;
      return [JSON.stringify([runner, file, name, occurrence]), tests];
    }),
  );
}

function changedTests(
  before: RunCoverage,
  after: RunCoverage,
  matched: MatchedLines,
): Pick<BuildStep, "tests" | "gone" | "added"> {
  const old = testsByName(before), now = testsByName(after);
  const tests: ChangedTest[] = [], gone: number[] = [];
  for (const [name, own] of old) {
    const other = now.get(name);
    if (other === undefined) gone.push(own[0]);
    else {
      const changed = changeOf(before, own, after, other, matched);
      if (changed.lost.length + changed.gained.length > 0) tests.push(changed);
    }
  }
  tests.sort((a, b) => Number(a.changedLines > 0) - Number(b.changedLines > 0));
  const added = [...now].filter(([name]) => !old.has(name)).map(([, [test]]) => test);
  return { tests, gone, added };
}

/** What comes and goes between the repeats of a test in one build is no change. */
function changeOf(
  before: RunCoverage,
  old: readonly number[],
  after: RunCoverage,
  now: readonly number[],
  { to, from, changedBefore, changedAfter }: MatchedLines,
): ChangedTest {
  const a = linesOf(before, old), b = linesOf(after, now);
  const projected = (lines: ReadonlySet<number>): number[] =>
    [...lines].map((line) => to[line]).filter((line) => line >= 0);
  const anyBefore = new Set(projected(a.any));
  const lost = projected(a.all).filter((line) => !b.any.has(line));
  const gained = [...b.all].filter((line) => from[line] >= 0 && !anyBefore.has(line));
  const count = (lines: ReadonlySet<number>, changed: Uint8Array): number =>
    [...lines].reduce((sum, line) => sum + changed[line], 0);
  return {
    before: old[0],
    after: now[0],
    lost: lost.sort((x, y) => x - y),
    gained: gained.sort((x, y) => x - y),
    changedLines: count(a.any, changedBefore) + count(b.any, changedAfter),
  };
}

/** Lines that all of some repeats ran, and those that any did. */
function linesOf(
  coverage: RunCoverage,
  repeats: readonly number[],
): { readonly all: ReadonlySet<number>; readonly any: ReadonlySet<number> } {
  const sets = repeats.map((test) =>
    new Set(coverage.linesOfPoints(coverage.tests[test].points.points))
  );
  const any = new Set(sets.flatMap((lines) => [...lines]));
  return { any, all: new Set([...any].filter((line) => sets.every((set) => set.has(line)))) };
}
