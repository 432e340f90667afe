import type { RunKernel, TestRecord } from "../record/test_record.ts";
import { LineFinder } from "./line_finder.ts";
import { LineCounter, type LineHits } from "./line_hits.ts";
import { type HitTotals, LineTally } from "./line_tally.ts";
import { type ModuleCoverage, moduleCoverage } from "./module_coverage.ts";
import {
  ALL_RESOLVED,
  type PointHits,
  pointsOnly,
  type UnresolvedCounts,
  type UnresolvedReason,
} from "./point_hits.ts";
import type { OriginHits } from "./origin_hits.ts";
import {
  CAUSED_BY_TESTS,
  countLeftOut,
  type LeftOut,
  type OriginSelection,
} from "./origin_selection.ts";
import {
  type ResolvedRecord,
  resolveRun,
  type RunCoverageOptions,
  type RunHits,
  type TestHits,
} from "./hits/run_hits.ts";
import type { Universe } from "./universe.ts";

/** What one test covered. Its lines are computed when asked for: {@linkcode RunCoverage.linesOf}. */
export interface TestCoverage extends TestHits {
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
  /** What the tests hit, as it was given or found. */
  readonly hits: RunHits;
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

  /** @param run its records, or what was found of them */
  constructor(
    universe: Universe,
    run: readonly TestRecord[] | RunHits,
    options: RunCoverageOptions = {},
  ) {
    const { linePoints } = universe;
    this.universe = universe;
    this.kernel = options.kernel;
    this.damaged = options.damaged ?? 0;
    this.lost = options.lost ?? 0;
    this.cut = options.cut ?? [];
    this.otherKernel = options.otherKernel ?? 0;
    this.lineHit = new Uint8Array(linePoints.length);
    this.linePointsHit = new Uint32Array(linePoints.length);
    this.#counter = new LineCounter(universe);
    const { modules = [], selection = CAUSED_BY_TESTS } = options;
    this.selection = selection;
    const hits = "tests" in run ? run : resolveRun(universe.image, run, options);
    this.hits = hits;
    this.pointTests = hits.pointTests;
    this.#leftOut = hits.leftOut;
    this.leftOut = countLeftOut(hits.leftOut);
    this.originsUnknown = hits.originsUnknown;
    this.flakyLeftOut = hits.flakyLeftOut;
    const totalsOf = (test: number): HitTotals => this.#totalsOf(test);
    this.tests = hits.tests.map((test, number) => new CoveredTest(test, number, totalsOf));
    this.modules = moduleCoverage(modules, this.pointTests, hits.lostInModules);
    this.baseline = hits.baseline;
    this.outside = hits.outside;
    const unresolved = { ...ALL_RESOLVED };
    for (const { unresolved: own } of hits.tests) {
      for (const reason of Object.keys(unresolved) as UnresolvedReason[]) {
        unresolved[reason] += own[reason];
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

  /** Of one test; those of all are worked out together, unless that takes fetching them. */
  #totalsOf(test: number): HitTotals {
    const { source } = this.hits;
    return source === undefined
      ? this.#lineSums().totals[test]
      : this.totalsOf(this.tests[test].points.points);
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

/** A test of a run, whose points may be fetched when they are asked for. */
class CoveredTest implements TestCoverage {
  readonly #hits: TestHits;
  readonly #number: number;
  readonly #totalsOf: (test: number) => HitTotals;

  constructor(hits: TestHits, number: number, totalsOf: (test: number) => HitTotals) {
    this.#hits = hits;
    this.#number = number;
    this.#totalsOf = totalsOf;
  }

  get record(): ResolvedRecord {
    return this.#hits.record;
  }

  get size(): number {
    return this.#hits.size;
  }

  get unresolved(): UnresolvedCounts {
    return this.#hits.unresolved;
  }

  get points(): PointHits {
    return this.#hits.points;
  }

  get origins(): readonly OriginHits[] | undefined {
    return this.#hits.origins;
  }

  get leftOut(): LeftOut | undefined {
    return this.#hits.leftOut;
  }

  get totals(): HitTotals {
    return this.#totalsOf(this.#number);
  }
}

/** What is worked out from the lines of each test. */
interface LineSums {
  readonly lineCount: Float64Array;
  readonly lineTests: Uint32Array;
  /** By test. */
  readonly totals: readonly HitTotals[];
}
