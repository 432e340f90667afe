import type { HitSource } from "../hits/hit_source.ts";
import type { RunCoverage } from "../run_coverage.ts";

/** Rows of points that are fetched to tell tests of one line apart. */
const MOST_ROWS = 1_000_000;

/**
 * How many tests run each of some lines, ascending ids. Of a large store it is, of a line with several points, the number
 * of those that hit the one that most tests hit.
 */
export function testsOfEach(coverage: RunCoverage, lines: Uint32Array): Uint32Array {
  const { hits: { source } } = coverage;
  return source === undefined
    ? lines.map((line) => coverage.lineTests[line])
    : fetchedTestsOfEach(coverage, source, lines);
}

function fetchedTestsOfEach(
  { universe, pointTests }: RunCoverage,
  source: HitSource,
  lines: Uint32Array,
): Uint32Array {
  const { claimStart, claimLine } = universe.image;
  const pointsOf = new Map(Array.from(lines, (line) => [line, [] as number[]]));
  pointTests.forEach((tests, point) => {
    if (tests === 0) return;
    for (let claim = claimStart[point]; claim < claimStart[point + 1]; claim++) {
      pointsOf.get(claimLine[claim])?.push(point);
    }
  });
  const several = new Set([...pointsOf.values()].filter((points) => points.length > 1).flat());
  const rows = [...several].reduce((sum, point) => sum + pointTests[point], 0);
  const met = new Set<number>();
  return lines.map((line) => {
    const points = pointsOf.get(line)!;
    if (points.length < 2 || rows > MOST_ROWS) {
      return points.reduce((most, point) => Math.max(most, pointTests[point]), 0);
    }
    met.clear();
    for (const point of points) {
      const { tests } = source.rowsOf(point);
      for (let at = 0; at < tests.length; at++) met.add(tests[at]);
    }
    return met.size;
  });
}
