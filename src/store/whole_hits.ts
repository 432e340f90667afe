import { COUNTS, type OriginSelection } from "../coverage/origin_selection.ts";
import { union } from "../coverage/point_sets.ts";
import {
  countPoints,
  type ResolvedRecord,
  type RunHits,
  steadyTests,
  type TestHits,
  testHits,
} from "../coverage/hits/run_hits.ts";
import type { StoreDriver } from "./drivers/driver.ts";
import { meaningOf, type RowMeaning } from "./origin_dictionary.ts";
import { withPass } from "./segments/record_table.ts";
import type { CatalogRecord, CatalogRecords } from "./store_catalog.ts";
import { type RecordRows, storedPoints } from "./stored_test.ts";

/** How to read a store as a run. */
export interface StoreHitsOptions {
  readonly selection: OriginSelection;
  readonly steady: boolean;
  /** Points of the universe. */
  readonly points: number;
  /** By number in the store, that in the universe, -1 where it has none; absent where they are the same. */
  readonly numbers?: Int32Array | undefined;
  /** Rows of points that are kept between questions, where hits are fetched; some millions by default. */
  readonly keptRows?: number;
  /** Names of the modules of the run. */
  readonly modules: readonly string[];
}

/**
 * Reads all hits of a store: what a question about all tests needs. It takes 20 bytes of memory and some for each hit.
 *
 * @throws {FormatError} Where a file is damaged.
 */
export async function wholeHits(driver: StoreDriver, options: StoreHitsOptions): Promise<RunHits> {
  const { catalog } = driver;
  const { machine } = catalog.manifest.kernel;
  const meanings = catalog.segments.map(({ sets }) => meaningOf(sets, machine, options.selection));
  const rows = await rowsByRecord(driver, options.numbers);
  const found = Array.from(catalog.tests, (at) => {
    const own = storedPoints(at.stored, rows[at.segment](at.number), meanings[at.segment]);
    return { at, own };
  });
  const pointTests = new Uint32Array(options.points);
  const leftOut = new Uint8Array(options.points);
  for (const { own: { left } } of found) {
    left.points.forEach((point, i) => leftOut[point] |= left.classes[i]);
  }
  for (const { own } of found) for (const point of own.points.points) leftOut[point] = 0;
  const resolved = found.map(({ at, own: { left: _left, ...own } }): TestHits =>
    testHits({ record: recordOf(at), ...own })
  );
  const { tests, flaky } = options.steady
    ? steadyTests(resolved, pointTests)
    : { tests: resolved, flaky: 0 };
  for (const { points } of tests) countPoints(points.points, pointTests);
  const apart = (wanted: string): Uint32Array =>
    [...catalog.apart].filter(({ stored: { record: { kind } } }) => kind === wanted)
      .map(({ stored, segment, number }) =>
        storedPoints(stored, rows[segment](number), meanings[segment]).points.points
      )
      .reduce(union, new Uint32Array(0));
  return {
    tests,
    pointTests,
    leftOut,
    ...countsOf(catalog.tests, meanings, options.modules),
    flakyLeftOut: flaky,
    baseline: apart("baseline"),
    outside: apart("outside"),
  };
}

/** A record of a store as one of a run. */
export function recordOf({ stored: { record }, pass }: CatalogRecord): ResolvedRecord {
  return pass === 0 ? record : withPass(record, pass);
}

/** What the tables of records say of all tests together. */
export function countsOf(
  tests: CatalogRecords,
  meanings: readonly RowMeaning[],
  modules: readonly string[],
): Pick<RunHits, "originsUnknown" | "lostInModules"> {
  let originsUnknown = 0;
  const lost = new Map<string, number>();
  for (let test = 0; test < tests.length; test++) {
    const records = tests.recordsOf(test), number = tests.number[test];
    const hasUnresolved = records.hasUnresolved(number);
    const hasPcs = records.allPoints[number] > 0 || hasUnresolved;
    if (records.known[number] === 0 && hasPcs) originsUnknown++;
    if (!hasUnresolved) continue;
    for (const part of records.at(number).unresolved) {
      if (meanings[tests.segment[test]].bits[part.origins] < COUNTS) continue;
      for (const [name, count] of Object.entries(part.lost)) {
        lost.set(name, (lost.get(name) ?? 0) + count);
      }
    }
  }
  return { originsUnknown, lostInModules: modules.map((name) => lost.get(name) ?? 0) };
}

/** By segment, what gives the rows of a record. */
async function rowsByRecord(
  driver: StoreDriver,
  numbers: Int32Array | undefined,
): Promise<((record: number) => RecordRows)[]> {
  const { segments } = driver.catalog;
  const sizes = segments.map(({ records }) => new Uint32Array(records.length + 1));
  for await (const { segment, tests } of driver.allRows()) {
    const size = sizes[segment];
    for (let row = 0; row < tests.length; row++) size[tests[row] + 1]++;
  }
  for (const start of sizes) for (let at = 1; at < start.length; at++) start[at] += start[at - 1];
  const next = sizes.map((start) => start.slice());
  const columns = sizes.map((start): RecordRows => {
    const rows = start[start.length - 1];
    return {
      points: new Uint32Array(rows),
      origins: new Uint32Array(rows),
      counts: new Uint32Array(rows),
    };
  });
  for await (const block of driver.allRows()) {
    const { points, origins, counts } = columns[block.segment], to = next[block.segment];
    for (let row = 0; row < block.tests.length; row++) {
      const at = to[block.tests[row]]++;
      points[at] = block.points[row];
      origins[at] = block.origins[row];
      counts[at] = block.counts[row];
    }
  }
  return segments.map((_, segment) => (record) => {
    const from = sizes[segment][record], to = sizes[segment][record + 1];
    const { points, origins, counts } = columns[segment];
    const rows = {
      points: points.subarray(from, to),
      origins: origins.subarray(from, to),
      counts: counts.subarray(from, to),
    };
    return numbers === undefined ? rows : renumbered(rows, numbers);
  });
}

/** Rows with the points' numbers in the universe, ascending; those that have none are left out. */
export function renumbered(
  { points, origins, counts }: RecordRows,
  numbers: Int32Array,
): RecordRows {
  const order = Array.from(points, (point, row) => [numbers[point], row] as const)
    .filter(([point]) => point >= 0)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return {
    points: Uint32Array.from(order, ([point]) => point),
    origins: Uint32Array.from(order, ([, row]) => origins[row]),
    counts: Uint32Array.from(order, ([, row]) => counts[row]),
  };
}
