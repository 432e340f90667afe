import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { ClickHouseDriver } from "../../src/store/clickhouse/clickhouse_driver.ts";
import { loadTables } from "../../src/store/clickhouse/load_tables.ts";
import { parseAddress, ServerTables } from "../../src/store/clickhouse/server_tables.ts";
import { readManifest } from "../../src/store/store_folder.ts";
import { ClickHouseServers, serverProgram } from "./clickhouse_servers.ts";
import { sameAnswers } from "./same_answers.ts";
import { addShards, madeUpRun, temporaryFolder } from "./stored_runs.ts";

const program = serverProgram();
const skip = program === undefined
  ? "clickhouse-server is not installed: apt-get install clickhouse-server"
  : false;

test("two servers, loaded from two halves, answer as the merged runs do", { skip }, async () => {
  using folder = temporaryFolder();
  await using servers = await ClickHouseServers.start(program!, folder.path);
  const runs = Array.from({ length: 4 }, (_, run) => madeUpRun(70 + run, 9));
  const shards = runs.map((run, number) => [number, run] as const);
  const halves = [join(folder.path, "a"), join(folder.path, "b")] as const;
  await addShards(halves[0], [shards[0], shards[2]], 300);
  await addShards(halves[1], [shards[3], shards[1]]);
  const tables = await ServerTables.open(servers.address);
  for (const half of halves) {
    const all = readManifest(half).segments.length;
    assert.deepEqual(await loadTables(half, tables), { loaded: all, known: 0 });
    assert.deepEqual(await loadTables(half, tables), { loaded: 0, known: all });
  }
  const rows = halves.flatMap((half) => readManifest(half).segments)
    .reduce((sum, { rows }) => sum + rows, 0);
  const here = await Promise.all(
    [0, 1].map(async (server) =>
      Number(await servers.ask(server, "SELECT count() FROM kernelcov.hits_here"))
    ),
  );
  assert.equal(here[0] + here[1], rows);
  assert.ok(here.every((count) => count > rows / 4), `each server has a part: ${here}`);
  // What a load has left that did not end, which counts for nothing.
  await servers.ask(0, "INSERT INTO kernelcov.hits VALUES ('left-00', 1, 1, 0, 0)");
  const driver = await ClickHouseDriver.open(servers.address);
  await sameAnswers(driver, runs, 7);
  await driver.close();
  // A shard in another segment would count twice.
  const again = join(folder.path, "again");
  await addShards(again, [shards[1]]);
  await assert.rejects(loadTables(again, tables), /have shard 0{15}1 in another segment already/);
  await tables.close();
});

test("a server that is not there is an error that says so", async () => {
  await assert.rejects(
    ClickHouseDriver.open("clickhouse://127.0.0.1:1/kernelcov"),
    /ClickHouse at 127\.0\.0\.1:1 does not answer: .*: check the address and the server/,
  );
});

test("addresses name hosts, a database and a cluster", () => {
  assert.deepEqual(parseAddress("clickhouses://me:pass@one:8443,two/runs?cluster=c"), {
    hosts: ["https://me:pass@one:8443", "https://me:pass@two"],
    database: "runs",
    cluster: "c",
  });
  for (const wrong of ["clickhouse://one", "clickhouse://one/a-b", "clickhouse://one/a?x=1"]) {
    assert.throws(() => parseAddress(wrong), /is no address of tables: write clickhouse:\/\//);
  }
});
