import type { RecordKind, RunKernel, TestRecord } from "../../record/test_record.ts";
import { knowsOrigins } from "../../kcov/origin.ts";
import type { CoverageImage } from "../coverage_image.ts";
import type { HitSource } from "./hit_source.ts";
import { type CoveredModule, withLostModules } from "../module_coverage.ts";
import { type OriginHits, originHits, originsWithin } from "../origin_hits.ts";
import {
  CAUSED_BY_TESTS,
  type LeftOut,
  type OriginSelection,
  OriginSelector,
} from "../origin_selection.ts";
import { type PointHits, resolvePoints, type UnresolvedCounts } from "../point_hits.ts";
import { union } from "../point_sets.ts";
import type { TestColumns } from "./test_columns.ts";
import { steadyPoints } from "../test_repeats.ts";

/** Options of `RunCoverage`. */
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

/** A record without its PCs and their origins, which are points once it is resolved. */
export type ResolvedRecord = Omit<TestRecord, "pcs" | "hits" | "origins" | "order">;

/** What one test hit. Where it is of a store, its points are fetched when they are asked for. */
export interface TestHits {
  readonly record: ResolvedRecord;
  /** Number of its points. */
  readonly size: number;
  /** Raw PCs that name no point; those of `points`. */
  readonly unresolved: UnresolvedCounts;
  readonly points: PointHits;
  /** What made the kernel run the points, in the order of first runs; absent where that is not known. */
  readonly origins?: readonly OriginHits[] | undefined;
  /** Points that it has not since none of their origins counts; absent where origins are not known. */
  readonly leftOut?: LeftOut | undefined;
}

/** What the tests of a run hit. */
export interface RunHits {
  readonly tests: readonly TestHits[];
  /** Per point, the number of tests that hit it. */
  readonly pointTests: Uint32Array;
  /** By point, the classes of the origins that ran it where none of them counts, as bits. */
  readonly leftOut: Uint8Array;
  /** Tests with points whose origins are not known. */
  readonly originsUnknown: number;
  /** Points that were left out since they come and go between repeats. */
  readonly flakyLeftOut: number;
  /** By module, PCs that were recorded in it and could not be resolved for want of an image. */
  readonly lostInModules: readonly number[];
  /** Points that an empty test hits, ascending. */
  readonly baseline: Uint32Array;
  /** Points hit while no test was open, ascending. */
  readonly outside: Uint32Array;
  /** Absent where records are at hand. */
  readonly columns?: TestColumns;
  /** Where hits are fetched from when they are asked for; absent where all are at hand. */
  readonly source?: HitSource;
}

/** Finds what the records of a run hit. */
export function resolveRun(
  image: CoverageImage,
  records: readonly TestRecord[],
  options: RunCoverageOptions = {},
): RunHits {
  const { modules = [], selection = CAUSED_BY_TESTS } = options;
  const machine = options.kernel?.machine ?? "";
  const lostInModules = modules.map(() => 0);
  const selector = new OriginSelector(image, machine, selection);
  const ofTests = records.filter(({ kind }) => kind !== "baseline" && kind !== "outside");
  const resolved = ofTests.map((whole) =>
    resolveRecord(image, whole, selector, modules, lostInModules)
  );
  const leftOut = selector.leftOut(resolved.map(({ points }) => points.points));
  const pointTests = new Uint32Array(image.pointOffset.length);
  const { tests, flaky } = options.steady
    ? steadyTests(resolved, pointTests)
    : { tests: resolved, flaky: 0 };
  for (const { points } of tests) countPoints(points.points, pointTests);
  // Not counted with what tests lost.
  const apart = new OriginSelector(image, machine, selection);
  const pointsOf = (wanted: RecordKind): Uint32Array =>
    records.filter(({ kind }) => kind === wanted)
      .map((record) => resolvePoints(image, apart.narrow(record).record).points)
      .reduce(union, new Uint32Array(0));
  return {
    tests,
    pointTests,
    leftOut,
    originsUnknown:
      ofTests.filter((record) => record.pcs.length > 0 && !knowsOrigins(record)).length,
    flakyLeftOut: flaky,
    lostInModules,
    baseline: pointsOf("baseline"),
    outside: pointsOf("outside"),
  };
}

function resolveRecord(
  image: CoverageImage,
  whole: TestRecord,
  selector: OriginSelector,
  modules: readonly CoveredModule[],
  lostInModules: number[],
): TestHits {
  const { record: { pcs, hits, origins, order: _, ...record }, leftOut } = selector.narrow(whole);
  const found = withLostModules(resolvePoints(image, { pcs, hits }), pcs, modules, lostInModules);
  return testHits({
    record,
    points: found,
    origins: origins && originHits(image, pcs, found.points, origins),
    leftOut,
  });
}

/** A test whose points are at hand. */
export function testHits(test: Omit<TestHits, "size" | "unresolved">): TestHits {
  const { points } = test;
  return { ...test, size: points.points.length, unresolved: points.unresolved };
}

/** The tests without the points that come and go between repeats, and how many these are. */
export function steadyTests(
  resolved: readonly TestHits[],
  pointTests: { readonly length: number },
): { readonly tests: readonly TestHits[]; readonly flaky: number } {
  const { tests, flaky } = steadyPoints({ tests: resolved, pointTests });
  return {
    tests: tests.map(({ origins, ...test }) =>
      testHits({ ...test, origins: origins && originsWithin(origins, test.points.points) })
    ),
    flaky,
  };
}

/** Counts a test for each of its points. A run has tens of millions, for which an iterator is slow. */
export function countPoints(points: Uint32Array, pointTests: Uint32Array): void {
  for (let i = 0; i < points.length; i++) pointTests[points[i]]++;
}
