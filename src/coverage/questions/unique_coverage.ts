import { union } from "../point_sets.ts";
import type { RunCoverage } from "../run_coverage.ts";
import { soleOwners } from "./sole_owners.ts";
import { repeatGroups } from "../test_repeats.ts";

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
  const owners = soleOwners(coverage);
  return repeatGroups(coverage).map(({ tests, steady, flaky }) => {
    const test = tests[0];
    const lines = tests.map((repeat) => coverage.linesOf(repeat).lines).reduce(union);
    return {
      test,
      points: owners.pointsOf(test, union(steady, flaky)).length,
      lines: owners.linesOf(test, lines),
    };
  }).filter(({ points, lines }) => points > 0 || lines.length > 0)
    .sort((a, b) => b.lines.length - a.lines.length || b.points - a.points || a.test - b.test);
}
