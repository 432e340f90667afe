import type { RunCoverage } from "../run_coverage.ts";
import { soleOwners } from "./sole_owners.ts";

/** What only one test of a run hit. */
export interface UniqueCoverage {
  /** The first of its repeats. */
  readonly test: number;
  /** Points that no other test hit. */
  readonly points: number;
  /** Ids of lines that no other test hit, ascending. */
  readonly lines: Uint32Array;
}

/**
 * What each test alone hit, in whichever of its repeats; those with most lines of their own first, tests without any
 * left out.
 */
export function uniqueCoverage(coverage: RunCoverage): UniqueCoverage[] {
  return [...soleOwners(coverage).byTest()].map(([test, { points, lines }]) => ({
    test,
    points,
    lines: Uint32Array.from(lines),
  })).sort((a, b) => b.lines.length - a.lines.length || b.points - a.points || a.test - b.test);
}
