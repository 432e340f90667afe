import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFaults } from "../../record/faults/fault_files.ts";
import { currentRun, findRunFolder, readRecordFiles, runsByAge } from "../../record/read_run.ts";
import { recordFiles } from "../../record/run_folder.ts";
import type { ShardWriter } from "./shard_writer.ts";

/** What became of a run that was to be added. */
export type AddedRun = "added" | "known";

/**
 * Adds the records of a run's folder that a store does not have.
 *
 * @throws {FormatError} Where there are none, or they are of another build.
 * @throws {TypeError} Where one of its files has grown since it was added.
 */
export async function addRun(writer: ShardWriter, directory: string): Promise<AddedRun> {
  const folder = findRunFolder(directory);
  const names = recordFiles(folder);
  const known = writer.files();
  const digests = new Set(known.values());
  const files: Record<string, string> = {};
  for (const name of names) {
    const digest = createHash("sha256").update(readFileSync(join(folder, name))).digest("hex");
    if (digests.has(digest)) continue;
    if (known.has(name)) {
      throw new TypeError(
        `${join(folder, name)} has changed since it was added: add a run when it has ended`,
      );
    }
    files[name] = digest;
  }
  if (names.length > 0 && Object.keys(files).length === 0) return "known";
  const read = readRecordFiles(folder, (name) => name in files);
  const run = currentRun(folder, read);
  const newest = runsByAge(read).runs.at(-1)!;
  const { damaged, lost = 0, cut = [], otherKernel = 0 } = run;
  await writer.add(run, {
    id: shardId(files),
    startedAt: Math.min(...newest.map(({ header }) => header.startedAt)),
    damaged,
    lost,
    cut,
    otherKernel,
    files,
  }, readFaults(folder, run.kernel.buildId).runs.length);
  return "added";
}

function shardId(files: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const digest of Object.values(files).sort()) hash.update(digest);
  return hash.digest("hex").slice(0, 16);
}
