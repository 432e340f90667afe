import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FormatError } from "../errors.ts";
import { decodeIndex, encodeIndex } from "./image_index_file.ts";
import type { IndexParts } from "./index_columns.ts";

/** Kernels and modules whose indexes are kept; the least recently written go first. */
const FILES_KEPT = 64;
const SUFFIX = ".index";

/** `$XDG_CACHE_HOME/kernelcov/index`, or the same under `~/.cache`. */
export function indexCacheFolder(): string {
  const configured = process.env["XDG_CACHE_HOME"];
  // The XDG Base Directory specification: a relative path is to be ignored.
  const cache = configured?.startsWith("/") ? configured : join(homedir(), ".cache");
  return join(cache, "kernelcov", "index");
}

/**
 * The index of an image from the cache, or `undefined` where there is none that can be believed: the file is missing,
 * damaged, of another version or of other data.
 */
export function readCachedIndex(
  folder: string,
  buildId: string,
  fingerprint: string,
): IndexParts | undefined {
  if (buildId === "") return undefined;
  let handle: number;
  try {
    handle = openSync(join(folder, buildId + SUFFIX), "r");
  } catch {
    return undefined;
  }
  try {
    const bytes = new Uint8Array(fstatSync(handle).size);
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(handle, bytes, done, bytes.length - done, done);
      if (count === 0) return undefined;
      done += count;
    }
    return decodeIndex(bytes, buildId, fingerprint);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  } finally {
    closeSync(handle);
  }
}

/**
 * Stores the index of an image, so that readers see either the whole file or none. A cache that cannot be written to
 * (a read-only home) is no error: the index is then built each time.
 *
 * @returns whether it was stored
 */
export function writeCachedIndex(folder: string, parts: IndexParts, fingerprint: string): boolean {
  if (parts.buildId === "") return false;
  const path = join(folder, parts.buildId + SUFFIX);
  const temporary = `${path}.${process.pid}.${Math.floor(Math.random() * 1e9)}.tmp`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(temporary, encodeIndex(parts, fingerprint));
    renameSync(temporary, path);
    removeOldest(folder);
    return true;
  } catch {
    removeIfThere(temporary);
    return false;
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where not even the folder is there, nothing was written.
  }
}

function removeOldest(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  if (files.length <= FILES_KEPT) return;
  const times = files.map((name) => ({ name, time: statSync(join(folder, name)).mtimeMs }));
  times.sort((a, b) => b.time - a.time);
  for (const { name } of times.slice(FILES_KEPT)) rmSync(join(folder, name), { force: true });
}
