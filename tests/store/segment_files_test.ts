import assert from "node:assert/strict";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { randomNumbers } from "../../scripts/bench/report/made_up_kernel.ts";
import { FormatError } from "../../src/errors.ts";
import { BuiltInDriver } from "../../src/store/drivers/built_in_driver.ts";
import { DuckDbDriver } from "../../src/store/drivers/duckdb_driver.ts";
import type { SegmentRows } from "../../src/store/drivers/driver.ts";
import { OriginDictionary } from "../../src/store/origin_dictionary.ts";
import { HitSorter } from "../../src/store/segments/hit_block.ts";
import { testId } from "../../src/store/segments/record_table.ts";
import { segmentFolder, writeSegment } from "../../src/store/segments/segment.ts";
import { readManifest, StoreWriter } from "../../src/store/store_folder.ts";
import { testRecord } from "../_support/test_records.ts";
import { addShards, KERNEL, madeUpRun, temporaryFolder } from "./stored_runs.ts";

const TESTS = 2000;
const POINTS = 3000;
/** Of a test on average: the store's rows are in many pages and several row groups. */
const HITS = 1300;

async function writeLarge(directory: string): Promise<Map<number, number[]>> {
  const random = randomNumbers(9);
  const sorter = new HitSorter();
  const dictionary = new OriginDictionary();
  const sets = [1, 0x2001, 0xc002].map((origin) =>
    dictionary.add({ origins: [origin], threadsShared: false, known: true })
  );
  const expected = new Map<number, number[]>();
  for (let number = 0; number < TESTS; number++) {
    const points = new Set<number>();
    for (let hit = 0; hit < HITS; hit++) points.add(Math.floor(random() ** 3 * POINTS));
    const own = Uint32Array.from(points).sort();
    for (const point of own) {
      const known = expected.get(point);
      if (known === undefined) expected.set(point, [number]);
      else known.push(number);
    }
    const counts = own.map(() => number % 3 === 0 ? 0xffff_fff0 + number % 16 : number);
    sorter.add(own, own.map((point) => sets[point % 3]), counts);
  }
  using writer = new StoreWriter(directory);
  const { id, folder } = writer.newSegment();
  const { pcs: _pcs, hits: _hits, origins: _origins, ...plain } = testRecord();
  const records = Array.from({ length: TESTS }, (_, number) => ({
    record: { ...plain, name: `test ${number}` },
    ...{ shard: "0", place: number, points: 0, allPoints: 0 },
    ...{ hasCounts: true, known: true, originOrder: [1], unresolved: [] },
  }));
  const parts = { records, sets: dictionary.sets };
  const segment = await writeSegment(folder, id, "x86_64", parts, sorter.blocks());
  writer.commit({ kernel: KERNEL, points: POINTS, modules: [], segments: [segment], shards: [] });
  return expected;
}

function rowsText({ points, tests, origins, counts }: SegmentRows): string {
  return Array.from(points, (point, row) => `${point} ${tests[row]} ${origins[row]} ${counts[row]}`)
    .join("\n");
}

test("rows at any place of a file of many pages are found, by each driver", async () => {
  using folder = temporaryFolder();
  const expected = await writeLarge(folder.path);
  const { segments: [segment] } = readManifest(folder.path);
  assert.ok(segment.rows > 1 << 20, "several row groups");
  const random = randomNumbers(3);
  const builtIn = await BuiltInDriver.open(folder.path);
  const duckDb = await DuckDbDriver.open(folder.path);
  for (let round = 0; round < 12; round++) {
    const count = round < 10 ? 1 + Math.floor(random() * 30) : 1500;
    const points = Uint32Array.from(
      new Set(Array.from({ length: count }, () => Math.floor(random() ** 2 * POINTS))),
    ).sort();
    const [own] = await builtIn.rowsOfPoints(points);
    const tests = Map.groupBy(own.points.keys(), (row) => own.points[row]);
    for (const point of points) {
      const found = (tests.get(point) ?? []).map((row) => own.tests[row]);
      assert.deepEqual(found, expected.get(point) ?? []);
    }
    const [other] = await duckDb.rowsOfPoints(points);
    assert.equal(rowsText(other), rowsText(own));
  }
  const records = [0, 3, 1999];
  const own = await builtIn.rowsOfRecords(0, records);
  assert.equal(rowsText(await duckDb.rowsOfRecords(0, records)), rowsText(own));
  assert.deepEqual([...new Set(own.tests)].sort((a, b) => a - b), records);
  for (const driver of [builtIn, duckDb]) {
    let rows = 0, last = -1;
    for await (const { points, tests } of driver.allRows()) {
      rows += points.length;
      for (let row = 0; row < points.length; row++) {
        const place = points[row] * TESTS + tests[row];
        if (place <= last) assert.fail(`${driver.name}: rows are not in order`);
        last = place;
      }
    }
    assert.equal(rows, segment.rows);
  }
  await builtIn.close();
  await duckDb.close();
});

test("a file of a store that is cut short or overwritten is an error that says so", async () => {
  using folder = temporaryFolder();
  await addShards(folder.path, [[0, madeUpRun(1, 5)]]);
  const { segments: [{ id }] } = readManifest(folder.path);
  const hits = join(segmentFolder(folder.path, id), "hits.parquet");
  truncateSync(hits, 100);
  await assert.rejects(BuiltInDriver.open(folder.path), FormatError);
  rmSync(hits);
  await assert.rejects(BuiltInDriver.open(folder.path), /files of .* are missing: add the runs/);
  writeFileSync(join(folder.path, "store.json"), "{");
  assert.throws(() => readManifest(folder.path), /store\.json is damaged: add the runs/);
  writeFileSync(join(folder.path, "store.json"), '{"kernelcov store":99}');
  assert.throws(() => readManifest(folder.path), /is of version 99, not 1/);
});

test("a folder with other files is not made a store", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "src"));
  assert.throws(() => new StoreWriter(folder.path), /is no store, and holds src/);
});

test("a store is changed by one command at a time", () => {
  using folder = temporaryFolder();
  using _first = new StoreWriter(folder.path);
  assert.throws(() => new StoreWriter(folder.path), /Another command changes the store/);
});

test("a test's id depends on its runner, file and full name alone", () => {
  const id = testId({ runner: "deno", file: "a_test.ts", name: "suite > case" });
  assert.equal(
    id,
    testId(testRecord({ runner: "deno", file: "a_test.ts", name: "suite > case", durationMs: 5 })),
  );
  assert.match(id, /^[0-9a-f]{16}$/);
  for (const other of [{ runner: "bun" }, { file: "b_test.ts" }, { name: "suite" }]) {
    assert.notEqual(
      id,
      testId({ runner: "deno", file: "a_test.ts", name: "suite > case", ...other }),
    );
  }
});
