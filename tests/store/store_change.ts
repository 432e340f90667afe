/** Adds made-up runs to a store, or compacts it, and says when it begins: to be killed meanwhile. */
import process from "node:process";
import { compactStore } from "../../src/store/compact_store.ts";
import { readManifest, StoreWriter } from "../../src/store/store_folder.ts";
import { isStore } from "../../src/store/store_folder.ts";
import { addShards, madeUpRun } from "./stored_runs.ts";

/** Rows of the segments that are written. */
const SEGMENT_ROWS = 700;

const [action, directory, seed, count] = process.argv.slice(2) as [string, string, string, string];
const runs = Array.from({ length: Number(count) }, (_, run) => madeUpRun(Number(seed) + run, 14));
process.stdout.write("begin\n");
if (action === "add") {
  const has = isStore(directory) ? readManifest(directory).shards.map(({ id }) => id) : [];
  const missing = runs.map((run, number) => [number, run] as const)
    .filter(([number]) => !has.includes(number.toString(16).padStart(16, "0")));
  await addShards(directory, missing, SEGMENT_ROWS);
} else {
  using writer = new StoreWriter(directory);
  await compactStore(writer, writer.manifest!);
}
process.stdout.write("end\n");
