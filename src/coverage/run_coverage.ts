import type { RecordKind, RunKernel, TestRecord } from "../record/test_record.ts";
import { LineFinder } from "./line_finder.ts";
import { LineCounter, type LineHits } from "./line_hits.ts";
import { type HitTotals, LineTally } from "./line_tally.ts";
import {
  type CoveredModule,
  type ModuleCoverage,
  moduleCoverage,
  withLostModules,
} from "./module_coverage.ts";
import {
  ALL_RESOLVED,
  type PointHits,
  pointsOnly,
  resolvePoints,
  type UnresolvedCounts,
  type UnresolvedReason,
} from "./point_hits.ts";
import { knowsOrigins } from "../kcov/origin.ts";
import { type OriginHits, originHits, originsWithin } from "./origin_hits.ts";
import {
  CAUSED_BY_TESTS,
  countLeftOut,
  type LeftOut,
  type OriginSelection,
  OriginSelector,
} from "./origin_selection.ts";
import { union } from "./point_sets.ts";
import { steadyPoints } from "./test_repeats.ts";
import type { Universe } from "./universe.ts";

/** A record without its PCs, their origins and their order, which are points once it is resolved. */
export type ResolvedRecord = Omit<TestRecord, "pcs" | "hits" | "origins" | "order">;

/** What one test covered. Its lines are computed when asked for: {@linkcode RunCoverage.linesOf}. */
export interface TestCoverage {
  readonly record: ResolvedRecord;
  readonly points: PointHits;
  /** What made the kernel run the points, in the order of first runs; absent where that is not known. */
  readonly origins?: readonly OriginHits[] | undefined;
  /** Points that it has not since none of their origins counts; absent where origins are not known. */
  readonly leftOut?: LeftOut | undefined;
  /** Of all tests, worked out when those of one are asked for. */
  readonly totals: HitTotals;
}

/** How much of a part of the source was covered. */
export interface LineShare {
  /** Lines that can be covered. */
  readonly lines: number;
  /** Those of them that any test hit. */
  readonly linesHit: number;
}

/** Options of {@linkcode RunCoverage}. */
export interface RunCoverageOptions {
  /** The kernel of the run, for reports that name it. */
  kernel?: RunKernel;
  /** Records that could not be read back. */
  damaged?: number;
  /** Records that could not be written. */
  lost?: number | undefined;
  /** Of each writer that did not end, the name of its last record. */
  cut?: readonly string[] | undefined;
  /** Records of another kernel in the run's folder, which are left out. */
  otherKernel?: number | undefined;
  /** The modules that were loaded during the run. */
  modules?: readonly CoveredModule[];
  /** Leave out of each test the points that come and go between its repeats. */
  steady?: boolean;
  /** Which origins count; {@linkcode CAUSED_BY_TESTS} by default. */
  selection?: OriginSelection | undefined;
}

/**
 * What a run's tests covered together and each: the data of every report. Commands count as tests; what an empty
 * test hits, and what ran while no test was open, is kept apart.
 *
 * What needs the lines of each test is worked out when it is asked for: many questions only need the points.
 */
export class RunCoverage {
  readonly universe: Universe;
  readonly tests: readonly TestCoverage[];
  readonly kernel: RunKernel | undefined;
  /** Records that could not be read back. */
  readonly damaged: number;
  /** Records that could not be written. */
  readonly lost: number;
  /** Of each writer that did not end, the name of its last record: what it would have written after that is missing. */
  readonly cut: readonly string[];
  /** Records of another kernel in the run's folder, which are left out. */
  readonly otherKernel: number;
  /** The modules that were loaded during the run, in the order of their names. */
  readonly modules: readonly ModuleCoverage[];
  /** Per line, 1 where any test hit it. */
  readonly lineHit: Uint8Array;
  /** Per line, how many of its points any test hit. */
  readonly linePointsHit: Uint32Array;
  /** Per point, the number of tests that hit it. */
  readonly pointTests: Uint32Array;
  readonly totals: HitTotals;
  /** Which origins count. */
  readonly selection: OriginSelection;
  /** Points that no test has since none of their origins counts. */
  readonly leftOut: LeftOut;
  /** Tests with points whose origins are not known; each is counted whole, or left out where the selection restricts. */
  readonly originsUnknown: number;
  /** Points that were left out since they come and go between repeats. */
  readonly flakyLeftOut: number;
  /** Points that an empty test hits, ascending: kept apart, in no total. */
  readonly baseline: Uint32Array;
  /** Points hit while no test was open, ascending: kept apart, in no total. */
  readonly outside: Uint32Array;
  /** Distinct raw PCs of tests that were not resolved, each counted once per test. */
  readonly unresolved: UnresolvedCounts;
  /** By point, the classes of the origins that ran it where none of them counts, as bits. */
  readonly #leftOut: Uint8Array;
  readonly #counter: LineCounter;
  #sums: LineSums | undefined;
  #others: LineTally | undefined;
  #finder: LineFinder | undefined;

  constructor(
    universe: Universe,
    records: readonly TestRecord[],
    options: RunCoverageOptions = {},
  ) {
    const { image, linePoints } = universe;
    this.universe = universe;
    this.kernel = options.kernel;
    this.damaged = options.damaged ?? 0;
    this.lost = options.lost ?? 0;
    this.cut = options.cut ?? [];
    this.otherKernel = options.otherKernel ?? 0;
    this.lineHit = new Uint8Array(linePoints.length);
    this.linePointsHit = new Uint32Array(linePoints.length);
    this.pointTests = new Uint32Array(image.pointOffset.length);
    this.#counter = new LineCounter(universe);
    const { modules = [] } = options;
    const lost = modules.map(() => 0);
    const { selection = CAUSED_BY_TESTS } = options;
    this.selection = selection;
    const selector = new OriginSelector(image, options.kernel?.machine ?? "", selection);
    const ofTests = records.filter(({ kind }) => kind !== "baseline" && kind !== "outside");
    const resolved = ofTests.map((whole) => {
      const { record: { pcs, hits, origins, order: _, ...record }, leftOut } = selector.narrow(
        whole,
      );
      const points = resolvePoints(image, { pcs, hits });
      return {
        record,
        points: withLostModules(points, pcs, modules, lost),
        origins: origins && originHits(image, pcs, points.points, origins),
        leftOut,
      };
    });
    this.#leftOut = selector.leftOut(resolved.map(({ points }) => points.points));
    this.leftOut = countLeftOut(this.#leftOut);
    this.originsUnknown =
      ofTests.filter((record) => record.pcs.length > 0 && !knowsOrigins(record)).length;
    const { pointTests } = this;
    const { tests, flaky } = options.steady
      ? steadyPoints({ tests: resolved, pointTests })
      : { tests: resolved, flaky: 0 };
    this.flakyLeftOut = flaky;
    for (const { points } of tests) countPoints(points.points, pointTests);
    const sums = (): LineSums => this.#lineSums();
    this.tests = tests.map(({ record, points, origins, leftOut }, test) => ({
      record,
      points,
      leftOut,
      origins: origins && (options.steady ? originsWithin(origins, points.points) : origins),
      get totals() {
        return sums().totals[test];
      },
    }));
    this.modules = moduleCoverage(modules, this.pointTests, lost);
    // Not counted with what tests lost.
    const apart = new OriginSelector(image, options.kernel?.machine ?? "", selection);
    const pointsOf = (wanted: RecordKind): Uint32Array =>
      records.filter(({ kind }) => kind === wanted)
        .map((record) => resolvePoints(image, apart.narrow(record).record).points)
        .reduce(union, new Uint32Array(0));
    this.baseline = pointsOf("baseline");
    this.outside = pointsOf("outside");

    const unresolved = { ...ALL_RESOLVED };
    for (const { points } of this.tests) {
      for (const reason of Object.keys(unresolved) as UnresolvedReason[]) {
        unresolved[reason] += points.unresolved[reason];
      }
    }
    this.unresolved = unresolved;
    this.totals = this.#sumUp();
  }

  /** Per line, the sum of its counts over the tests. */
  get lineCount(): Float64Array {
    return this.#lineSums().lineCount;
  }

  /** Per line, the number of tests that hit it. */
  get lineTests(): Uint32Array {
    return this.#lineSums().lineTests;
  }

  /** The lines that test number `test` hit. */
  linesOf(test: number): LineHits {
    return this.#counter.count(this.tests[test].points);
  }

  /** The lines that points of the universe claim, both ascending. */
  linesOfPoints(points: Uint32Array): Uint32Array {
    return (this.#finder ??= new LineFinder(this.universe)).linesOf(points);
  }

  /** How many of these points no test has since none of their origins counts; absent where that is none. */
  leftOutOf(points: Iterable<number>): { readonly leftOut?: LeftOut } {
    const left = Array.from(new Set(points), (point) => this.#leftOut[point]);
    return left.some((classes) => classes !== 0) ? { leftOut: countLeftOut(left) } : {};
  }

  /** The totals of points of the universe, ascending. */
  totalsOf(points: Uint32Array): HitTotals {
    this.#others ??= new LineTally(this.universe, this.#counter);
    return this.#others.add(pointsOnly(points));
  }

  /** Of the lines with ids from `from` up to, not including, `to`. */
  lineShare(from: number, to: number): LineShare {
    const { linePoints } = this.universe;
    let lines = 0, linesHit = 0;
    for (let line = from; line < to; line++) {
      if (linePoints[line] === 0) continue;
      lines++;
      linesHit += this.lineHit[line];
    }
    return { lines, linesHit };
  }

  #lineSums(): LineSums {
    if (this.#sums === undefined) {
      const tally = new LineTally(this.universe, this.#counter);
      const totals = this.tests.map(({ points }) => tally.add(points));
      this.#sums = { lineCount: tally.lineCount, lineTests: tally.lineTests, totals };
    }
    return this.#sums;
  }

  #sumUp(): HitTotals {
    const { image, linePoints, claimDirect, lineIndirect, functions } = this.universe;
    const { claimStart, claimLine } = image;
    let points = 0;
    for (let p = 0; p < this.pointTests.length; p++) {
      if (this.pointTests[p] === 0) continue;
      points++;
      const end = claimStart[p + 1];
      for (let c = claimStart[p]; c < end; c++) {
        const line = claimLine[c];
        if (linePoints[line] === 0) continue;
        this.lineHit[line] = 1;
        this.linePointsHit[line] += claimDirect[c];
      }
    }
    let lines = 0, partialLines = 0, functionTotal = 0, last = -1;
    for (let line = 0; line < linePoints.length; line++) {
      if (this.lineHit[line] === 0) continue;
      lines++;
      if (lineIndirect[line] === 1) this.linePointsHit[line] = 1;
      if (this.linePointsHit[line] < linePoints[line]) partialLines++;
      // Lines of one group lie together.
      const group = functions.lineGroup[line];
      if (group < 0 || group === last) continue;
      last = group;
      functionTotal += functions.groupStart[group + 1] - functions.groupStart[group];
    }
    return { functions: functionTotal, lines, partialLines, points };
  }
}

/** Counts a test for each of its points. A run has tens of millions, for which an iterator is slow. */
function countPoints(points: Uint32Array, pointTests: Uint32Array): void {
  for (let i = 0; i < points.length; i++) pointTests[points[i]]++;
}

/** What is worked out from the lines of each test. */
interface LineSums {
  readonly lineCount: Float64Array;
  readonly lineTests: Uint32Array;
  /** By test. */
  readonly totals: readonly HitTotals[];
}
