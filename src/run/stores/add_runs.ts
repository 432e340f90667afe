import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readFaults } from "../../record/faults/fault_files.ts";
import {
  currentRun,
  findRunFolder,
  isSameKernel,
  readRecordFiles,
  runsByAge,
} from "../../record/read_run.ts";
import { recordFiles } from "../../record/run_folder.ts";
import type { StoreShard } from "../../store/store_manifest.ts";
import type { ProjectedRun, RunProjector } from "./project_run.ts";
import type { ShardWriter } from "./shard_writer.ts";

/** What became of a run that was to be added. */
export type AddedRun = "added" | "known";

/**
 * Adds the records of a run's folder that a store does not have.
 *
 * @param byLine makes what projects runs of other builds to that of the store; without it they are refused
 * @throws {FormatError} Where there are none, or they are of another build.
 * @throws {TypeError} Where one of its files has grown since it was added.
 */
export async function addRun(
  writer: ShardWriter,
  directory: string,
  byLine?: (build: NonNullable<ShardWriter["build"]>) => RunProjector,
): Promise<AddedRun> {
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
  const { build } = writer;
  const projected = byLine === undefined || build === undefined ||
      isSameKernel(build.kernel, run.kernel)
    ? undefined
    : byLine(build).project(run);
  await writer.add(projected?.run ?? run, {
    id: shardId(files),
    startedAt: Math.min(...newest.map(({ header }) => header.startedAt)),
    damaged,
    lost,
    cut,
    otherKernel,
    ...projected === undefined ? {} : { projected: shareOf(projected) },
    files,
  }, readFaults(folder, run.kernel.buildId).runs.length);
  return "added";
}

function shareOf({ buildId, kept, lost }: ProjectedRun): StoreShard["projected"] {
  return { buildId, kept, lost };
}

function shardId(files: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const digest of Object.values(files).sort()) hash.update(digest);
  return hash.digest("hex").slice(0, 16);
}
