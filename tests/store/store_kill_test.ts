import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { randomNumbers } from "../../scripts/bench/report/made_up_kernel.ts";
import { testTable, totalsText } from "../../src/report/text_table.ts";
import { BuiltInDriver } from "../../src/store/drivers/built_in_driver.ts";
import { isStore, readManifest } from "../../src/store/store_folder.ts";
import { wholeHits } from "../../src/store/whole_hits.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { madeUpRun, mergedCoverage, storeCoverage, temporaryFolder } from "./stored_runs.ts";

const CHANGE = fileURLToPath(new URL("store_change.ts", import.meta.url));
const SEED = 300;
const RUNS = 16;
const KILLS = 25;
const ALL = Array.from({ length: RUNS }, (_, run) => madeUpRun(SEED + run, 14));

/** Changes a store in a process of its own, which is killed so long after it began; returns how long it ran. */
async function change(
  action: "add" | "compact",
  directory: string,
  killAfterMs?: number,
): Promise<number> {
  const runtime = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const child = spawn(
    process.execPath,
    [...runtime, CHANGE, action, directory, String(SEED), String(RUNS)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<[number | null, string | null]>((resolve) =>
    child.on("close", (status, signal) => resolve([status, signal]))
  );
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const begun = performance.now();
  const timer = killAfterMs === undefined
    ? undefined
    : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  const [status, signal] = await ended;
  clearTimeout(timer);
  if (signal === null) assert.equal(status, 0);
  return performance.now() - begun;
}

/** Holds that a store is whole: it answers as the runs do of which it says that it has them. */
async function checkStore(directory: string): Promise<number> {
  if (!isStore(directory)) return 0;
  const { shards } = readManifest(directory);
  const runs = shards.map(({ id }) => parseInt(id, 16)).sort((a, b) => a - b)
    .map((run) => ALL[run]);
  const driver = await BuiltInDriver.open(directory);
  const stored = await storeCoverage(driver, wholeHits);
  await driver.close();
  const merged = mergedCoverage(runs);
  assert.equal(testTable(stored), testTable(merged));
  assert.equal(totalsText(stored), totalsText(merged));
  return shards.length;
}

test("a kill at any moment of adding leaves a whole store, and adding goes on from there", async () => {
  using folder = temporaryFolder();
  const random = randomNumbers(11);
  const whole = await change("add", join(folder.path, "whole"));
  let store = 0, killed = 0;
  const counts = new Set<number>();
  while (killed < KILLS) {
    const directory = join(folder.path, `store${store}`);
    await change("add", directory, random() * whole * 0.5);
    killed++;
    const count = await checkStore(directory);
    counts.add(count);
    if (count === RUNS) store++;
  }
  // Some were killed between two shards, else nothing was tested.
  assert.ok(counts.size > 2, `${[...counts]}`);
  const last = join(folder.path, `store${store}`);
  await change("add", last);
  assert.equal(await checkStore(last), RUNS);
  assertNothingLeft(last);
});

test("a kill at any moment of compacting leaves the old store or the new one", async () => {
  using folder = temporaryFolder();
  const random = randomNumbers(12);
  const many = join(folder.path, "many");
  await change("add", many);
  cpSync(many, join(folder.path, "whole"), { recursive: true });
  const whole = await change("compact", join(folder.path, "whole"));
  const segments = new Set<number>();
  for (let killed = 0; killed < KILLS; killed++) {
    const directory = join(folder.path, `store${killed}`);
    cpSync(many, directory, { recursive: true });
    await change("compact", directory, random() * whole * 1.1);
    assert.equal(await checkStore(directory), RUNS);
    segments.add(readManifest(directory).segments.length);
    await change("compact", directory);
    assert.equal(await checkStore(directory), RUNS);
    assertNothingLeft(directory);
  }
  assert.deepEqual([...segments].sort((a, b) => a - b), [1, readManifest(many).segments.length]);
});

/** Nothing but what the manifest names is there. */
function assertNothingLeft(directory: string): void {
  const { segments } = readManifest(directory);
  assert.deepEqual(
    readdirSync(join(directory, "segments")).sort(),
    segments.map(({ id }) => `segment=${id}`).sort(),
  );
  assert.equal(existsSync(join(directory, "lock")), false);
}
