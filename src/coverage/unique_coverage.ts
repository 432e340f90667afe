import type { RunCoverage } from "./run_coverage.ts";

/** What only one test of a run hit. */
export interface UniqueCoverage {
  readonly test: number;
  /** Points that no other test hit. */
  readonly points: number;
  /** Ids of lines that no other test hit, ascending. */
  readonly lines: Uint32Array;
}

/** What each test alone hit; those with most lines of their own first, tests without any left out. */
export function uniqueCoverage(coverage: RunCoverage): UniqueCoverage[] {
  const { tests, pointTests, lineTests } = coverage;
  return tests.map(({ points }, test) => ({
    test,
    points: points.points.reduce((sum, point) => sum + (pointTests[point] === 1 ? 1 : 0), 0),
    lines: coverage.linesOf(test).lines.filter((line) => lineTests[line] === 1),
  })).filter(({ points, lines }) => points > 0 || lines.length > 0)
    .sort((a, b) => b.lines.length - a.lines.length || b.points - a.points || a.test - b.test);
}
