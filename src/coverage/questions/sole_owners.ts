import { repeatIndex } from "../repeat_index.ts";
import type { RunCoverage } from "../run_coverage.ts";

const NONE = -1, SEVERAL = -2;

/** By point and by line, the test that alone hit it, as its first repeat, or one of the two numbers above. */
interface Owners {
  readonly points: Int32Array;
  readonly lines: Int32Array;
}

/** The points and lines of a run that one test alone hit, in whichever of its repeats. */
export class SoleOwners {
  readonly #coverage: RunCoverage;
  #owners: Owners | undefined;

  constructor(coverage: RunCoverage) {
    this.#coverage = coverage;
    const { tests } = repeatIndex(coverage);
    // Without repeats the number of records is enough.
    if (tests < coverage.tests.length || coverage.hits.source !== undefined) {
      this.#owners = ownersOf(coverage);
    }
  }

  /** Those of `points`, which `test` hit, that no other test did. */
  pointsOf(test: number, points: Uint32Array): Uint32Array {
    const owners = this.#owners?.points;
    const { pointTests } = this.#coverage;
    const { first } = repeatIndex(this.#coverage);
    return points.filter((point) =>
      owners === undefined ? pointTests[point] === 1 : owners[point] === first[test]
    );
  }

  /** Those of `lines`, which `test` hit, that no other test did. */
  linesOf(test: number, lines: Uint32Array): Uint32Array {
    const owners = this.#owners?.lines;
    const { first } = repeatIndex(this.#coverage);
    if (owners !== undefined) return lines.filter((line) => owners[line] === first[test]);
    const { lineTests } = this.#coverage;
    return lines.filter((line) => lineTests[line] === 1);
  }

  /** What each test alone hit, by its first repeat: how many points, and the ids of the lines, ascending. */
  byTest(): Map<number, { points: number; readonly lines: number[] }> {
    const { points, lines } = this.#owners ??= ownersOf(this.#coverage);
    const found = new Map<number, { points: number; readonly lines: number[] }>();
    const of = (test: number): { points: number; readonly lines: number[] } => {
      let own = found.get(test);
      if (own === undefined) found.set(test, own = { points: 0, lines: [] });
      return own;
    };
    for (let point = 0; point < points.length; point++) {
      if (points[point] >= 0) of(points[point]).points++;
    }
    for (let line = 0; line < lines.length; line++) {
      if (lines[line] >= 0) of(lines[line]).lines.push(line);
    }
    return found;
  }
}

function ownersOf(coverage: RunCoverage): Owners {
  const points = pointOwners(coverage);
  const { image: { claimStart, claimLine }, linePoints } = coverage.universe;
  const lines = new Int32Array(coverage.lineHit.length).fill(NONE);
  // A line is a test's alone where all points of it that were hit are.
  for (let point = 0; point < points.length; point++) {
    if (points[point] === NONE) continue;
    for (let claim = claimStart[point]; claim < claimStart[point + 1]; claim++) {
      const line = claimLine[claim];
      if (linePoints[line] !== 0) own(lines, line, points[point]);
    }
  }
  return { points, lines };
}

function pointOwners(coverage: RunCoverage): Int32Array {
  const { first, repeats } = repeatIndex(coverage);
  const { hits: { source }, pointTests, tests } = coverage;
  const owners = new Int32Array(pointTests.length).fill(NONE);
  if (source === undefined) {
    for (let test = 0; test < first.length; test++) {
      const { points } = tests[test].points;
      for (let i = 0; i < points.length; i++) own(owners, points[i], first[test]);
    }
    return owners;
  }
  const most = repeats.reduce((most, times) => Math.max(most, times), 0);
  for (let point = 0; point < owners.length; point++) {
    const count = pointTests[point];
    if (count === 0) continue;
    if (count === 1) owners[point] = first[source.soleTest[point]];
    else if (count > most) owners[point] = SEVERAL;
    else for (const test of source.rowsOf(point).tests) own(owners, point, first[test]);
  }
  return owners;
}

/** Enters a test as one that hit a point or line. */
function own(owners: Int32Array, id: number, test: number): void {
  if (owners[id] === NONE) owners[id] = test;
  else if (owners[id] !== test) owners[id] = SEVERAL;
}

const known = new WeakMap<RunCoverage, SoleOwners>();

/** What each test of a run alone hit; found once, unless it has to be fetched. */
export function soleOwners(coverage: RunCoverage): SoleOwners {
  if (coverage.hits.source !== undefined) return new SoleOwners(coverage);
  let owners = known.get(coverage);
  if (owners === undefined) known.set(coverage, owners = new SoleOwners(coverage));
  return owners;
}
