import assert from "node:assert/strict";
import test from "node:test";
import { ALL_RESOLVED } from "../../src/coverage/point_hits.ts";
import { numbersOfPairs } from "../../src/base/pair_numbers.ts";
import { RECORD_COLUMNS, recordColumns } from "../../src/store/segments/record_table.ts";
import type { SegmentRecord } from "../../src/store/segments/record_table.ts";
import { StoredRecords } from "../../src/store/segments/stored_records.ts";
import { BuiltInDriver } from "../../src/store/drivers/built_in_driver.ts";
import { repeatGroups } from "../../src/coverage/test_repeats.ts";
import { fetchedHits } from "../../src/store/fetched_hits.ts";
import { testRecord } from "../_support/test_records.ts";
import { randomNumbers } from "../../scripts/bench/report/made_up_kernel.ts";
import {
  addShards,
  madeUpRun,
  mergedCoverage,
  storeCoverage,
  temporaryFolder,
} from "./stored_runs.ts";

const { pcs: _pcs, hits: _hits, ...PLAIN } = testRecord();

function segmentRecord(number: number): SegmentRecord {
  const { origins: _origins, ...record } = PLAIN as typeof PLAIN & { origins?: unknown };
  const kinds = ["test", "command", "baseline", "outside"] as const;
  return {
    record: {
      ...record,
      name: `größe ${number} "unresolved": \n`,
      outcome: number % 3 === 0 ? "failed" : "passed",
      truncated: number % 5 === 0,
      kind: kinds[number % 4],
      durationMs: number / 3,
      ...number % 2 === 0 ? { firstRuns: Float64Array.of(1024 * number, 4096) } : {},
      ...number % 7 === 0 ? { pass: number } : {},
    },
    shard: `${number % 2}`,
    place: 3 * number,
    points: number,
    allPoints: 2 * number,
    hasCounts: number % 2 === 1,
    known: number % 3 === 1,
    originOrder: number % 3 === 1 ? [number] : undefined,
    unresolved: number % 4 === 1
      ? [{ origins: 0, counts: { ...ALL_RESOLVED, "tail-call": number }, lost: { ext4: 1 } }]
      : [],
  };
}

test("columns of records, filled in parts, give the records again", () => {
  const records = Array.from({ length: 40 }, (_, number) => segmentRecord(number));
  const columns = recordColumns(records);
  const named = Object.fromEntries(RECORD_COLUMNS.map(({ name }, at) => [name, columns[at]]));
  const stored = StoredRecords.of(named, records.length);
  records.forEach((record, number) => {
    const { record: { firstRuns, ...plain }, ...rest } = stored.at(number);
    const { record: { firstRuns: expected, ...others }, ...more } = record;
    assert.deepEqual({ ...plain }, others);
    assert.deepEqual(firstRuns, expected);
    assert.deepEqual(rest, more);
    const { outcome, truncated } = record.record;
    assert.equal(stored.incomplete[number], Number(truncated || outcome !== "passed"));
    assert.equal(stored.hasUnresolved(number), record.unresolved.length > 0);
  });
});

test("numbersOfPairs() numbers equal pairs alike, in their first order", () => {
  const random = randomNumbers(8);
  for (const limit of [3, 1 << 10, 2 ** 32]) {
    const column = (): Uint32Array =>
      Uint32Array.from({ length: 3000 }, () => Math.floor(random() * limit));
    const high = column(), low = column();
    const known = new Map<string, number>();
    const expected = Array.from(high, (value, at) => {
      const key = `${value} ${low[at]}`;
      if (!known.has(key)) known.set(key, known.size);
      return known.get(key);
    });
    assert.deepEqual([...numbersOfPairs(high, low)], expected);
  }
});

test("repeats are found by ids as by names", async () => {
  using folder = temporaryFolder();
  const runs = [madeUpRun(91, 40), madeUpRun(92, 40)];
  await addShards(folder.path, runs.map((run, number) => [number, run] as const));
  const driver = await BuiltInDriver.open(folder.path);
  const stored = await storeCoverage(driver, fetchedHits);
  const groups = (coverage: Parameters<typeof repeatGroups>[0]): unknown[] =>
    repeatGroups(coverage).map((
      { file, name, occurrence, tests },
    ) => [file, name, occurrence, tests]);
  const expected = groups(mergedCoverage(runs));
  assert.deepEqual(groups(stored), expected);
  assert.ok(expected.length < stored.tests.length, "some are repeats");
  await driver.close();
});
