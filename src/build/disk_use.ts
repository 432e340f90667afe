import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../sys/written_files.ts";

/** Bytes that a folder takes on its disk. What a build removes meanwhile does not count. */
export function diskUse(folder: string): number {
  let bytes = 0;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    bytes += ownDiskUse(path);
    if (entry.isDirectory()) bytes += diskUse(path);
  }
  return bytes;
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function ownDiskUse(path: string): number {
  // stat(2): blocks are of 512 bytes, whatever the file system's are.
  return 512 * (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0);
}

/**
 * {@linkcode diskUse} of a folder whose folders change only with each build, such as that of a kernel with its source, whose
 * 30,000 files are looked at once. Its own files are looked at each time.
 *
 * @param log what builds write to; `undefined` while one runs: nothing is noted then
 */
export function builtDiskUse(folder: string, log: string | undefined): number {
  let bytes = 0;
  const folders: string[] = [];
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    bytes += ownDiskUse(path);
    if (entry.isDirectory()) folders.push(path);
  }
  const build = log === undefined ? undefined : lstatSync(log, { throwIfNoEntry: false })?.mtimeMs;
  const note = join(folder, "disk_use.json");
  const noted = readNote(note);
  if (build !== undefined && noted?.build === build) return bytes + noted.bytes;
  const inFolders = folders.reduce((sum, path) => sum + diskUse(path), 0);
  if (build !== undefined) {
    try {
      writeWhole(note, [JSON.stringify({ build, bytes: inFolders })]);
    } catch {
      // A cache that may only be read.
    }
  }
  return bytes + inFolders;
}

/** The time of the build that was measured, and the bytes of the folders. */
function readNote(path: string): { build: number; bytes: number } | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
