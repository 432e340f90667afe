import type { RecordKind, RunKernel, TestRecord } from "../record/test_record.ts";
import { LineCounter, type LineHits } from "./line_hits.ts";
import {
  type CoveredModule,
  type ModuleCoverage,
  moduleCoverage,
  withLostModules,
} from "./module_coverage.ts";
import {
  ALL_RESOLVED,
  type PointHits,
  resolvePoints,
  type UnresolvedCounts,
  type UnresolvedReason,
} from "./point_hits.ts";
import { union } from "./point_sets.ts";
import type { Universe } from "./universe.ts";

/** How many functions, lines and points were hit. The denominators are those of the universe. */
export interface HitTotals {
  /** Functions of which a line was hit. */
  readonly functions: number;
  readonly lines: number;
  /** Lines of which some points were hit and some not; they are in `lines` too. */
  readonly partialLines: number;
  readonly points: number;
}

/** What one test covered. Its lines are computed when asked for: {@linkcode RunCoverage.linesOf}. */
export interface TestCoverage {
  readonly record: TestRecord;
  readonly points: PointHits;
  readonly totals: HitTotals;
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
}

/**
 * What a run's tests covered together and each: the data of every report. Commands count as tests; what an empty
 * test hits, and what ran while no test was open, is kept apart.
 */
export class RunCoverage {
  readonly universe: Universe;
  readonly tests: readonly TestCoverage[];
  readonly kernel: RunKernel | undefined;
  /** Records that could not be read back. */
  readonly damaged: number;
  /** Records that could not be written. */
  readonly lost: number;
  /** Of each writer that did not end, the name of its last record: what it would have written behind is missing. */
  readonly cut: readonly string[];
  /** Records of another kernel in the run's folder, which are left out. */
  readonly otherKernel: number;
  /** The modules that were loaded during the run, in the order of their names. */
  readonly modules: readonly ModuleCoverage[];
  /** Per line, the sum of its counts over the tests. */
  readonly lineCount: Float64Array;
  /** Per line, the number of tests that hit it. */
  readonly lineTests: Uint32Array;
  /** Per line, how many of its points any test hit. */
  readonly linePointsHit: Uint32Array;
  /** Per point, the number of tests that hit it. */
  readonly pointTests: Uint32Array;
  readonly totals: HitTotals;
  /** Points that an empty test hits, ascending: kept apart, in no total. */
  readonly baseline: Uint32Array;
  /** Points hit while no test was open, ascending: kept apart, in no total. */
  readonly outside: Uint32Array;
  /** Distinct raw PCs of tests that were not resolved, each counted once per test. */
  readonly unresolved: UnresolvedCounts;
  readonly #counter: LineCounter;
  readonly #groupMark: Uint32Array;
  #mark = 0;

  constructor(
    universe: Universe,
    records: readonly TestRecord[],
    options: RunCoverageOptions = {},
  ) {
    const { image, linePoints, functions } = universe;
    this.universe = universe;
    this.kernel = options.kernel;
    this.damaged = options.damaged ?? 0;
    this.lost = options.lost ?? 0;
    this.cut = options.cut ?? [];
    this.otherKernel = options.otherKernel ?? 0;
    this.lineCount = new Float64Array(linePoints.length);
    this.lineTests = new Uint32Array(linePoints.length);
    this.linePointsHit = new Uint32Array(linePoints.length);
    this.pointTests = new Uint32Array(image.pointOffset.length);
    this.#counter = new LineCounter(universe);
    this.#groupMark = new Uint32Array(functions.groupLine.length);
    const { modules = [] } = options;
    const lost = modules.map(() => 0);
    this.tests = records.filter(({ kind }) => kind !== "baseline" && kind !== "outside")
      .map((record) => this.#addTest(record, modules, lost));
    this.modules = moduleCoverage(modules, this.pointTests, lost);
    const pointsOf = (wanted: RecordKind): Uint32Array =>
      records.filter(({ kind }) => kind === wanted)
        .map((record) => resolvePoints(image, record).points)
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

  /** The lines that test number `test` hit. */
  linesOf(test: number): LineHits {
    return this.#counter.count(this.tests[test]!.points);
  }

  #addTest(
    record: TestRecord,
    modules: readonly CoveredModule[],
    lost: number[],
  ): TestCoverage {
    const { linePoints } = this.universe;
    const resolved = resolvePoints(this.universe.image, record);
    const points = withLostModules(resolved, record.pcs, modules, lost);
    for (const point of points.points) this.pointTests[point]!++;
    const { lines, counts, pointsHit } = this.#counter.count(points);
    let partialLines = 0;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      this.lineCount[line]! += counts[i]!;
      this.lineTests[line]!++;
      if (pointsHit[i]! < linePoints[line]!) partialLines++;
    }
    return {
      record,
      points,
      totals: {
        functions: this.#functionsOf(lines),
        lines: lines.length,
        partialLines,
        points: points.points.length,
      },
    };
  }

  #functionsOf(lines: Uint32Array): number {
    const { lineGroup, groupStart } = this.universe.functions;
    const mark = ++this.#mark;
    let functions = 0;
    for (const line of lines) {
      const group = lineGroup[line]!;
      if (group < 0 || this.#groupMark[group] === mark) continue;
      this.#groupMark[group] = mark;
      functions += groupStart[group + 1]! - groupStart[group]!;
    }
    return functions;
  }

  #sumUp(): HitTotals {
    const { image, linePoints, claimDirect, lineIndirect } = this.universe;
    const { claimStart, claimLine } = image;
    let points = 0;
    for (let p = 0; p < this.pointTests.length; p++) {
      if (this.pointTests[p] === 0) continue;
      points++;
      const end = claimStart[p + 1]!;
      for (let c = claimStart[p]!; c < end; c++) {
        this.linePointsHit[claimLine[c]!]! += claimDirect[c]!;
      }
    }
    let lineTotal = 0;
    let partialLines = 0;
    const hit = new Uint32Array(linePoints.length);
    for (let line = 0; line < linePoints.length; line++) {
      if (this.lineTests[line] === 0) {
        this.linePointsHit[line] = 0;
        continue;
      }
      hit[lineTotal++] = line;
      if (lineIndirect[line] === 1) this.linePointsHit[line] = 1;
      if (this.linePointsHit[line]! < linePoints[line]!) partialLines++;
    }
    const lines = hit.subarray(0, lineTotal);
    return { functions: this.#functionsOf(lines), lines: lineTotal, partialLines, points };
  }
}
