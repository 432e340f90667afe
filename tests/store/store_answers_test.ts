import assert from "node:assert/strict";
import test from "node:test";
import { compactStore } from "../../src/store/compact_store.ts";
import { BuiltInDriver } from "../../src/store/drivers/built_in_driver.ts";
import { DuckDbDriver } from "../../src/store/drivers/duckdb_driver.ts";
import { StoreWriter } from "../../src/store/store_folder.ts";
import { sameAnswers } from "./same_answers.ts";
import { addShards, madeUpRun, temporaryFolder } from "./stored_runs.ts";

const OPENERS = [BuiltInDriver, DuckDbDriver] as const;

for (let seed = 1; seed <= 5; seed++) {
  test(`every driver answers as the merged runs do, in many segments and in one (seed ${seed})`, async () => {
    using folder = temporaryFolder();
    const runs = Array.from({ length: 4 }, (_, run) => madeUpRun(10 * seed + run, 5 + 7 * run));
    const shards = runs.map((run, number) => [number, run] as const);
    // In another order than they began in, and so small that shards lie in several segments.
    await addShards(folder.path, [shards[2], shards[0]], 400);
    await addShards(folder.path, [shards[3], shards[1]], 1_000_000);
    for (const Driver of OPENERS) {
      const driver = await Driver.open(folder.path);
      assert.ok(driver.catalog.segments.length > 2);
      await sameAnswers(driver, runs, seed);
      await driver.close();
    }
    {
      using writer = new StoreWriter(folder.path);
      await compactStore(writer, writer.manifest!);
    }
    for (const Driver of OPENERS) {
      const driver = await Driver.open(folder.path);
      assert.equal(driver.catalog.segments.length, 1);
      await sameAnswers(driver, runs, seed);
      await driver.close();
    }
  });
}
