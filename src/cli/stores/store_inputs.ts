import { globSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { recordFiles } from "../../record/run_folder.ts";
import { extractRecords } from "../../run/stores/record_archive.ts";
import { UsageError } from "../command_line.ts";

/** Names of archives that are read. */
const ARCHIVE = /\.(?:tar|tar\.gz|tgz)$/;

/** A run folder that is to be added. */
export interface StoreInput {
  /** As it was named, for people. */
  readonly label: string;
  readonly folder: string;
}

/**
 * The paths that arguments mean: what is there, and what patterns match, each once.
 *
 * @throws {UsageError} Where one means nothing.
 */
export function inputPaths(operands: readonly string[]): string[] {
  const paths = operands.flatMap((operand) => {
    if (statSync(operand, { throwIfNoEntry: false }) !== undefined) return [operand];
    const found = /[*?[{]/.test(operand) ? globSync(operand).sort() : [];
    if (found.length > 0) return found;
    throw new UsageError(
      `There is no run ${operand}: name run folders, archives of them, or a pattern`,
    );
  });
  return [...new Set(paths)];
}

/**
 * The run folders that a path has: itself or its `run`; else those in it and below; those in an archive, which is
 * unpacked for it.
 *
 * @throws {UsageError} Where there are none.
 */
export async function* inputsAt(path: string): AsyncGenerator<StoreInput> {
  if (statSync(path).isDirectory()) {
    const folders = runFolders(path);
    if (folders.length === 0) {
      throw new UsageError(`${path} holds no records: name the folder of a run`);
    }
    for (const folder of folders) {
      yield { label: folder, folder };
    }
    return;
  }
  if (!ARCHIVE.test(path)) {
    throw new UsageError(
      `${path} is no archive that can be read: name a folder, a .tar or a .tar.gz`,
    );
  }
  const unpacked = mkdtempSync(join(tmpdir(), "kernelcov-store-"));
  try {
    await extractRecords(path, unpacked);
    const folders = runFolders(unpacked);
    if (folders.length === 0) {
      throw new UsageError(`${path} holds no records: name an archive of run folders`);
    }
    for (const folder of folders) {
      const label = folders.length === 1 ? path : `${path}: ${folder.slice(unpacked.length + 1)}`;
      yield { label, folder };
    }
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

/** Folders with record files, at and below a path, in order. */
function runFolders(path: string): string[] {
  const own = recordFiles(path).length > 0 ? [path] : [];
  const below = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && basename(entry.name) !== "node_modules")
    .map(({ name }) => join(path, name)).sort();
  return [...own, ...below.flatMap(runFolders)];
}
