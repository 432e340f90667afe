import { groupNames } from "./find_source.ts";
import { LineCounter } from "../line_hits.ts";
import { pointsOnly } from "../point_hits.ts";
import { difference, jaccard, overlap, union } from "../point_sets.ts";
import type { RunCoverage } from "../run_coverage.ts";
import type { RepeatGroup } from "../test_repeats.ts";
import type { Universe } from "../universe.ts";

/** One side of a comparison: points that were hit, and those of them that come and go between repeats. */
export interface CoverageSide {
  /** Ascending, flaky ones included. */
  readonly points: Uint32Array;
  readonly flaky: Uint32Array;
}

/** A function that the two sides do not cover alike. */
export interface FunctionDifference {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  /** Numbers of the lines that only one side hit. */
  readonly onlyA: readonly number[];
  readonly onlyB: readonly number[];
  /** Lines that both hit; 0: only one side entered the function. */
  readonly both: number;
}

/** Two tests or two runs on one kernel build, compared. */
export interface CoverageDifference {
  readonly points: { onlyA: number; onlyB: number; both: number };
  readonly lines: { onlyA: number; onlyB: number; both: number };
  /** Points of the difference that one side is known to hit only sometimes: no sure difference. */
  readonly flakyPoints: number;
  /** Share of points that both have of those that either has. */
  readonly similarity: number;
  /** Ordered by file and line. */
  readonly functions: readonly FunctionDifference[];
}

/** The side of one test, with all its repeats. */
export function testSide(group: RepeatGroup): CoverageSide {
  return { points: union(group.steady, group.flaky), flaky: group.flaky };
}

/** The side of a whole run: a point is flaky where it is in every test that hit it. */
export function runSide(coverage: RunCoverage, groups: readonly RepeatGroup[]): CoverageSide {
  const steady = new Uint8Array(coverage.pointTests.length);
  for (const group of groups) for (const point of group.steady) steady[point] = 1;
  const points: number[] = [], flaky: number[] = [];
  for (let point = 0; point < steady.length; point++) {
    if (coverage.pointTests[point] === 0) continue;
    points.push(point);
    if (steady[point] === 0) flaky.push(point);
  }
  return { points: Uint32Array.from(points), flaky: Uint32Array.from(flaky) };
}

/** What each side covers that the other does not. */
export function compareCoverage(
  universe: Universe,
  a: CoverageSide,
  b: CoverageSide,
): CoverageDifference {
  const onlyA = difference(a.points, b.points);
  const onlyB = difference(b.points, a.points);
  const counter = new LineCounter(universe);
  const linesA = counter.count(pointsOnly(a.points)).lines;
  const linesB = counter.count(pointsOnly(b.points)).lines;
  const lineOnlyA = difference(linesA, linesB), lineOnlyB = difference(linesB, linesA);
  const bothLines = overlap(linesA, linesB);
  return {
    points: {
      onlyA: onlyA.length,
      onlyB: onlyB.length,
      both: overlap(a.points, b.points),
    },
    lines: { onlyA: lineOnlyA.length, onlyB: lineOnlyB.length, both: bothLines },
    flakyPoints: overlap(onlyA, a.flaky) + overlap(onlyB, b.flaky),
    similarity: jaccard(a.points, b.points),
    functions: functionDifferences(universe, linesA, lineOnlyA, lineOnlyB),
  };
}

function functionDifferences(
  universe: Universe,
  linesA: Uint32Array,
  lineOnlyA: Uint32Array,
  lineOnlyB: Uint32Array,
): FunctionDifference[] {
  const { functions, image } = universe;
  const found = new Map<number, { onlyA: number[]; onlyB: number[]; both: number }>();
  const entryOf = (line: number): { onlyA: number[]; onlyB: number[]; both: number } | undefined =>
    found.get(functions.lineGroup[line]);
  for (const [lines, side] of [[lineOnlyA, "onlyA"], [lineOnlyB, "onlyB"]] as const) {
    for (const line of lines) {
      const group = functions.lineGroup[line];
      if (group < 0) continue;
      if (!found.has(group)) found.set(group, { onlyA: [], onlyB: [], both: 0 });
      entryOf(line)![side].push(image.lineNumber[line]);
    }
  }
  for (const line of difference(linesA, lineOnlyA)) {
    const entry = entryOf(line);
    if (entry !== undefined) entry.both++;
  }
  return [...found].sort(([x], [y]) => x - y).map(([group, entry]) => ({
    function: groupNames(universe, group).join(", "),
    file: image.files[functions.groupFile[group]],
    line: image.lineNumber[functions.groupLine[group]],
    ...entry,
  }));
}
