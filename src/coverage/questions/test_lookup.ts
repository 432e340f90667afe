import { lowerBound } from "../../base/search.ts";
import { unionOf } from "../point_sets.ts";
import type { RunCoverage } from "../run_coverage.ts";

/** A test that hit a line or a function. */
export interface LineTest {
  /** Index into the run's tests. */
  readonly test: number;
  /** Points of the line that it hit. */
  readonly pointsHit: number;
  /** The line's count in this test; see `LineCounter`. */
  readonly count: number;
}

/** The inverse columns of a run: from points, lines and functions to the tests that hit them. */
export class TestLookup {
  readonly coverage: RunCoverage;
  /** Tests of the points that were asked for while they were few. */
  readonly #few = new Map<number, Uint32Array>();
  #all: PointTests | undefined;
  /** Points that claim line `l`, by compiled function, and whether they do so directly. */
  readonly #pointStart: Uint32Array;
  readonly #linePoint: Uint32Array;
  readonly #lineDirect: Uint8Array;

  constructor(coverage: RunCoverage) {
    this.coverage = coverage;
    const { universe, pointTests } = coverage;
    const { image, linePoints, claimDirect, rankPoint } = universe;
    const claims = new Uint32Array(linePoints.length);
    for (let point = 0; point < pointTests.length; point++) {
      if (image.pointUnknown[point] === 1) continue;
      const end = image.claimStart[point + 1];
      for (let c = image.claimStart[point]; c < end; c++) claims[image.claimLine[c]]++;
    }
    this.#pointStart = starts(claims);
    const nextPoint = this.#pointStart.slice();
    this.#linePoint = new Uint32Array(nextPoint[nextPoint.length - 1]);
    this.#lineDirect = new Uint8Array(this.#linePoint.length);
    for (let rank = 0; rank < rankPoint.length; rank++) {
      const point = rankPoint[rank];
      if (image.pointUnknown[point] === 1) continue;
      const end = image.claimStart[point + 1];
      for (let c = image.claimStart[point]; c < end; c++) {
        const at = nextPoint[image.claimLine[c]]++;
        this.#linePoint[at] = point;
        this.#lineDirect[at] = claimDirect[c];
      }
    }
  }

  /** Tests that hit a point, ascending. */
  testsOfPoint(point: number): Uint32Array {
    const { source } = this.coverage.hits;
    if (source !== undefined) return source.rowsOf(point).tests;
    if (this.#all === undefined && this.#few.size < MANY_POINTS) {
      let tests = this.#few.get(point);
      if (tests === undefined) this.#few.set(point, tests = testsOf(this.coverage, point));
      return tests;
    }
    const { start, test } = this.#all ??= pointTestsOf(this.coverage);
    return test.subarray(start[point], start[point + 1]);
  }

  /** Points that claim a line, those of one compiled function together. */
  pointsOfLine(line: number): Uint32Array {
    return this.#linePoint.subarray(this.#pointStart[line], this.#pointStart[line + 1]);
  }

  /** Tests that hit a line, ascending, with what they hit of it. */
  testsOfLine(line: number): LineTest[] {
    const { universe } = this.coverage;
    const found = new Map<number, LineTally>();
    for (let at = this.#pointStart[line]; at < this.#pointStart[line + 1]; at++) {
      const point = this.#linePoint[at];
      const direct = this.#lineDirect[at];
      const holder = universe.pointContainer[point];
      for (const test of this.testsOfPoint(point)) {
        const count = this.#hitsOf(test, point);
        const tally = found.get(test);
        if (tally === undefined) {
          found.set(test, { points: direct, sum: 0, inner: count, direct, holder });
        } else addToTally(tally, count, direct, holder);
      }
    }
    const indirect = universe.lineIndirect[line] === 1;
    return [...found].map(([test, { points, sum, inner }]) => ({
      test,
      pointsHit: indirect ? 1 : points,
      count: Math.max(1, sum + inner),
    })).sort((a, b) => a.test - b.test);
  }

  /** Tests that hit any of the lines `from` up to, not including, `to`, ascending. */
  testsOfLines(from: number, to: number): Uint32Array {
    const points = this.#linePoint.subarray(this.#pointStart[from], this.#pointStart[to]);
    if (points.length === 1) return this.testsOfPoint(points[0]);
    return unionOf(Array.from(points, (point) => this.testsOfPoint(point)));
  }

  /** Whether any test hit any of the lines `from` up to, not including, `to`. */
  isHit(from: number, to: number): boolean {
    const { pointTests } = this.coverage;
    const points = this.#linePoint.subarray(this.#pointStart[from], this.#pointStart[to]);
    return points.some((point) => pointTests[point] > 0);
  }

  /** 0 where the kernel stored each PC once. */
  #hitsOf(test: number, point: number): number {
    const { source } = this.coverage.hits;
    if (source !== undefined) {
      const { tests, counts } = source.rowsOf(point);
      return counts[lowerBound(tests, test)];
    }
    const { points, hits } = this.coverage.tests[test].points;
    if (hits === null) return 0;
    return hits[lowerBound(points, point)];
  }
}

/** Up to so many points, looking through the tests for each takes less time than turning all of them round. */
const MANY_POINTS = 64;

/** Tests of every point `p`, ascending: entries `start[p]` to `start[p + 1]` of `test`. */
interface PointTests {
  readonly start: Uint32Array;
  readonly test: Uint32Array;
}

function pointTestsOf({ tests, pointTests }: RunCoverage): PointTests {
  const start = starts(pointTests);
  const next = start.slice();
  const test = new Uint32Array(next[next.length - 1]);
  for (let t = 0; t < tests.length; t++) enter(tests[t].points.points, t, next, test);
  return { start, test };
}

function testsOf({ tests, pointTests }: RunCoverage, point: number): Uint32Array {
  const found = new Uint32Array(pointTests[point]);
  for (let t = 0, count = 0; count < found.length; t++) {
    const { points } = tests[t].points;
    if (points[lowerBound(points, point)] === point) found[count++] = t;
  }
  return found;
}

/** Enters a test at each of its points. A run has tens of millions, for which an iterator is slow. */
function enter(points: Uint32Array, test: number, next: Uint32Array, tests: Uint32Array): void {
  for (let i = 0; i < points.length; i++) tests[next[points[i]]++] = test;
}

/** The state of `LineCounter` for one line and one test. */
interface LineTally {
  points: number;
  sum: number;
  inner: number;
  direct: number;
  holder: number;
}

function addToTally(tally: LineTally, count: number, direct: number, holder: number): void {
  tally.points += direct;
  if (tally.holder !== holder) {
    tally.sum += tally.inner;
    tally.inner = count;
    tally.direct = direct;
    tally.holder = holder;
  } else if (direct === 1 && (tally.direct === 0 || count > tally.inner)) {
    tally.inner = count;
    tally.direct = 1;
  }
}

function starts(lengths: Uint32Array): Uint32Array {
  const start = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) start[i + 1] = start[i] + lengths[i];
  return start;
}
