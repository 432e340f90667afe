import { numbersOfPairs } from "../base/pair_numbers.ts";
import { lowerBound, sortedOrder } from "../base/search.ts";
import type { HitSource, PointRows } from "../coverage/hits/hit_source.ts";
import type { OriginHits } from "../coverage/origin_hits.ts";
import { COUNTS, type LeftOut } from "../coverage/origin_selection.ts";
import { ALL_RESOLVED, type PointHits, type UnresolvedCounts } from "../coverage/point_hits.ts";
import type { ResolvedRecord, RunHits, TestHits } from "../coverage/hits/run_hits.ts";
import type { TestColumns } from "../coverage/hits/test_columns.ts";
import type { SegmentRows, StoreDriver } from "./drivers/driver.ts";
import { meaningOf, type RowMeaning } from "./origin_dictionary.ts";
import { type CatalogRecords, isApart } from "./store_catalog.ts";
import { type StoredPoints, storedPoints, unresolvedOf } from "./stored_test.ts";
import { countsOf, recordOf, renumbered, type StoreHitsOptions } from "./whole_hits.ts";

/** Rows of points that are kept between questions: of more, all are forgotten, and fetched again where they are needed. */
const KEPT_ROWS = 30_000_000;
const NO_ROWS: PointRows = {
  tests: new Uint32Array(0),
  counts: new Uint32Array(0),
  origins: new Uint32Array(0),
};

/**
 * The hits of a store, fetched when they are asked for: what a question about some lines or some tests needs. What
 * counts is what tests caused, as the indexes of the segments have it.
 */
export function fetchedHits(driver: StoreDriver, options: StoreHitsOptions): Promise<RunHits> {
  return Promise.resolve(new FetchedHits(driver, options));
}

class FetchedHits implements RunHits, HitSource {
  readonly tests: readonly TestHits[];
  readonly pointTests: Uint32Array;
  readonly leftOut: Uint8Array;
  readonly originsUnknown: number;
  readonly flakyLeftOut = 0;
  readonly lostInModules: readonly number[];
  readonly baseline: Uint32Array;
  readonly outside: Uint32Array;
  readonly source: HitSource = this;
  readonly soleTest: Int32Array;
  readonly columns: TestColumns;
  readonly #driver: StoreDriver;
  readonly #meanings: readonly RowMeaning[];
  readonly #numbers: Int32Array | undefined;
  /** By segment, what is added to the number of a set of origins. */
  readonly #firstSet: readonly number[];
  /** By number that rows of points have, the origins that count. */
  readonly #counting: (readonly number[])[];
  /** Numbers of what several rows of one test have together. */
  readonly #together = new Map<string, number>();
  readonly #rows = new Map<number, PointRows>();
  readonly #mostRows: number;
  #keptRows = 0;
  readonly #tests = new Map<number, StoredPoints>();
  readonly #overlaps = new Map<number, Uint32Array>();
  readonly #missing = {
    points: new Set<number>(),
    tests: new Set<number>(),
    overlaps: new Set<number>(),
  };

  constructor(driver: StoreDriver, options: StoreHitsOptions) {
    const { catalog } = driver;
    const { machine } = catalog.manifest.kernel;
    this.#driver = driver;
    this.#numbers = options.numbers;
    this.#mostRows = options.keptRows ?? KEPT_ROWS;
    this.#meanings = catalog.segments.map(({ sets }) =>
      meaningOf(sets, machine, options.selection)
    );
    this.#counting = this.#meanings.flatMap(({ counting }) => counting);
    let sets = 0;
    this.#firstSet = this.#meanings.map(({ bits }) => (sets += bits.length) - bits.length);
    this.pointTests = new Uint32Array(options.points);
    this.leftOut = new Uint8Array(options.points);
    this.soleTest = new Int32Array(options.points).fill(-1);
    const apart = new Uint8Array(options.points);
    catalog.segments.forEach(({ index }, segment) => {
      for (let at = 0; at < index.point.length; at++) {
        const point = this.#numbers === undefined
          ? index.point[at]
          : this.#numbers[index.point[at]];
        if (point < 0) continue;
        const before = this.pointTests[point];
        this.pointTests[point] += index.tests[at];
        this.leftOut[point] |= index.left[at];
        apart[point] |= index.apart[at];
        if (index.tests[at] === 0) continue;
        this.soleTest[point] = before === 0 && index.sole[at] >= 0
          ? catalog.testOf[segment][index.sole[at]]
          : -1;
      }
    });
    this.pointTests.forEach((tests, point) => {
      if (tests > 0) this.leftOut[point] = 0;
    });
    const points = [...apart.keys()];
    this.baseline = Uint32Array.from(points.filter((point) => isApart(apart[point], "baseline")));
    this.outside = Uint32Array.from(points.filter((point) => isApart(apart[point], "outside")));
    const counts = countsOf(catalog.tests, this.#meanings, options.modules);
    this.originsUnknown = counts.originsUnknown;
    this.lostInModules = counts.lostInModules;
    const fetched = (test: number): StoredPoints => this.#pointsOf(test);
    const bitsOf = (segment: number): Uint8Array => this.#meanings[segment].bits;
    this.tests = Array.from(
      { length: catalog.tests.length },
      (_, test) => new FetchedTest(catalog.tests, test, bitsOf, fetched),
    );
    this.columns = columnsOf(catalog.tests);
  }

  rowsOf(point: number): PointRows {
    if (this.pointTests[point] === 0) return NO_ROWS;
    const known = this.#rows.get(point);
    if (known !== undefined) return known;
    this.#missing.points.add(point);
    return NO_ROWS;
  }

  originOrder(test: number): readonly number[] | undefined {
    const { tests } = this.#driver.catalog;
    return tests.recordsOf(test).originOrder(tests.number[test]);
  }

  originsOf(number: number): readonly number[] {
    return this.#counting[number];
  }

  overlapsOf(test: number): Uint32Array | undefined {
    const known = this.#overlaps.get(test);
    if (known === undefined) this.#missing.overlaps.add(test);
    return known;
  }

  begin(): void {
    if (this.#keptRows <= this.#mostRows) return;
    this.#rows.clear();
    this.#keptRows = 0;
  }

  async fetch(): Promise<boolean> {
    const { points, tests, overlaps } = this.#missing;
    if (points.size + tests.size + overlaps.size === 0) return false;
    if (points.size > 0) await this.#fetchPoints([...points]);
    if (tests.size > 0 || overlaps.size > 0) {
      await this.#fetchTests([...new Set([...tests, ...overlaps])]);
    }
    for (const test of overlaps) await this.#fetchOverlaps(test);
    for (const set of [points, tests, overlaps]) set.clear();
    return true;
  }

  #pointsOf(test: number): StoredPoints {
    const known = this.#tests.get(test);
    if (known !== undefined) return known;
    this.#missing.tests.add(test);
    const { stored, segment } = this.#driver.catalog.tests.at(test);
    return storedPoints(stored, {
      points: NO_ROWS.tests,
      origins: NO_ROWS.origins,
      counts: NO_ROWS.counts,
    }, this.#meanings[segment]);
  }

  async #fetchPoints(points: readonly number[]): Promise<void> {
    const numbers = this.#storeNumbers(points);
    const wanted = Uint32Array.from(numbers.keys()).sort();
    const parts = await this.#driver.rowsOfPoints(wanted);
    for (const [number, point] of numbers) {
      const rows = this.#joined(parts, number);
      this.#rows.set(point, rows);
      this.#keptRows += rows.tests.length;
    }
  }

  /** By number in the store, that of each point. */
  #storeNumbers(points: readonly number[]): Map<number, number> {
    if (this.#numbers === undefined) return new Map(points.map((point) => [point, point]));
    const wanted = new Set(points);
    const found = new Map<number, number>();
    this.#numbers.forEach((point, number) => {
      if (wanted.has(point)) found.set(number, point);
    });
    return found;
  }

  /** The rows that all segments have of a point, by test. */
  #joined(parts: readonly SegmentRows[], number: number): PointRows {
    const spans = parts.map((part) => ({
      part,
      from: lowerBound(part.points, number),
      to: lowerBound(part.points, number + 1),
    }));
    const size = spans.reduce((sum, { from, to }) => sum + to - from, 0);
    const tests = new Uint32Array(size), counts = new Uint32Array(size);
    const origins = new Uint32Array(size);
    let end = 0, ascending = true, distinct = true;
    for (const { part, from, to } of spans) {
      const testOf = this.#driver.catalog.testOf[part.segment];
      const { bits } = this.#meanings[part.segment], firstSet = this.#firstSet[part.segment];
      for (let row = from; row < to; row++) {
        const test = testOf[part.tests[row]], set = part.origins[row];
        if (test < 0 || bits[set] < COUNTS) continue;
        if (end > 0 && test < tests[end - 1]) ascending = false;
        else if (end > 0 && test === tests[end - 1]) distinct = false;
        tests[end] = test;
        counts[end] = part.counts[row];
        origins[end++] = firstSet + set;
      }
    }
    const rows = {
      tests: tests.subarray(0, end),
      counts: counts.subarray(0, end),
      origins: origins.subarray(0, end),
    };
    const sorted = ascending ? rows : byTest(rows);
    return distinct ? sorted : this.#eachOnce(sorted);
  }

  /** Makes one row of those that a test has with a count for each origin. */
  #eachOnce({ tests, counts, origins }: PointRows): PointRows {
    let end = -1;
    for (let row = 0; row < tests.length; row++) {
      if (row > 0 && tests[row] === tests[end]) {
        counts[end] = Math.min(counts[end] + counts[row], 0xffff_ffff);
        origins[end] = this.#both(origins[end], origins[row]);
        continue;
      }
      end++;
      tests[end] = tests[row];
      counts[end] = counts[row];
      origins[end] = origins[row];
    }
    return {
      tests: tests.subarray(0, end + 1),
      counts: counts.subarray(0, end + 1),
      origins: origins.subarray(0, end + 1),
    };
  }

  #both(a: number, b: number): number {
    const key = `${a} ${b}`;
    let number = this.#together.get(key);
    if (number === undefined) {
      number = this.#counting.push([...this.#counting[a], ...this.#counting[b]]) - 1;
      this.#together.set(key, number);
    }
    return number;
  }

  async #fetchTests(tests: readonly number[]): Promise<void> {
    const { catalog } = this.#driver;
    const bySegment = Map.groupBy(tests, (test) => catalog.tests.segment[test]);
    for (const [segment, own] of bySegment) {
      const rows = await this.#driver.rowsOfRecords(
        segment,
        own.map((test) => catalog.tests.number[test]),
      );
      const of = Map.groupBy(rows.tests.keys(), (row) => rows.tests[row]);
      for (const test of own) {
        const { stored, number } = catalog.tests.at(test);
        const picked = Uint32Array.from(of.get(number) ?? []);
        const plain = {
          points: picked.map((row) => rows.points[row]),
          origins: picked.map((row) => rows.origins[row]),
          counts: picked.map((row) => rows.counts[row]),
        };
        const numbered = this.#numbers === undefined ? plain : renumbered(plain, this.#numbers);
        this.#tests.set(test, storedPoints(stored, numbered, this.#meanings[segment]));
      }
    }
  }

  async #fetchOverlaps(test: number): Promise<void> {
    const { catalog } = this.#driver;
    const { points } = this.#tests.get(test)!.points;
    const numbers = Uint32Array.from(this.#storeNumbers([...points]).keys()).sort();
    const counts = this.#meanings.map(({ bits }) => bits.map((bit) => bit >= COUNTS ? 1 : 0));
    const found = new Uint32Array(this.tests.length);
    (await this.#driver.overlaps(numbers, counts)).forEach((sums, segment) =>
      sums.forEach((sum, number) => {
        const other = catalog.testOf[segment][number];
        if (other >= 0) found[other] = sum;
      })
    );
    this.#overlaps.set(test, found);
  }
}

/** Rows in the order of their tests. */
function byTest({ tests, counts, origins }: PointRows): PointRows {
  const order = sortedOrder(tests);
  return {
    tests: order.map((row) => tests[row]),
    counts: order.map((row) => counts[row]),
    origins: order.map((row) => origins[row]),
  };
}

/** What is looked at of all tests, from the tables of records. */
function columnsOf(tests: CatalogRecords): TestColumns {
  const high = new Uint32Array(tests.length), low = new Uint32Array(tests.length);
  const incomplete: number[] = [];
  const runners = new Set<string>();
  for (let test = 0; test < tests.length; test++) {
    const records = tests.recordsOf(test), number = tests.number[test];
    high[test] = records.idHigh[number];
    low[test] = records.idLow[number];
    if (records.incomplete[number] === 1) incomplete.push(test);
    runners.add(records.runnerOf(number));
  }
  return {
    identity: numbersOfPairs(high, low),
    pass: tests.pass,
    incomplete,
    runners: runners.size,
  };
}

/** A test of a store: its record is made, and its points are fetched, when they are asked for. */
class FetchedTest implements TestHits {
  readonly #all: CatalogRecords;
  readonly #test: number;
  readonly #bitsOf: (segment: number) => Uint8Array;
  readonly #fetched: (test: number) => StoredPoints;

  constructor(
    all: CatalogRecords,
    test: number,
    bitsOf: (segment: number) => Uint8Array,
    fetched: (test: number) => StoredPoints,
  ) {
    this.#all = all;
    this.#test = test;
    this.#bitsOf = bitsOf;
    this.#fetched = fetched;
  }

  get record(): ResolvedRecord {
    return recordOf(this.#all.at(this.#test));
  }

  get size(): number {
    return this.#all.recordsOf(this.#test).points[this.#all.number[this.#test]];
  }

  get unresolved(): UnresolvedCounts {
    const all = this.#all, test = this.#test;
    if (!all.recordsOf(test).hasUnresolved(all.number[test])) return ALL_RESOLVED;
    return unresolvedOf(all.at(test).stored, this.#bitsOf(all.segment[test]));
  }

  get points(): PointHits {
    return this.#fetched(this.#test).points;
  }

  get origins(): readonly OriginHits[] | undefined {
    return this.#fetched(this.#test).origins;
  }

  get leftOut(): LeftOut | undefined {
    return this.#fetched(this.#test).leftOut;
  }
}
