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
import {
  decodeFrames,
  decodeIndex,
  encodeIndex,
  INDEX_HEADER_SIZE,
  indexLayout,
} from "./image_index_file.ts";
import type { FrameParts, IndexParts } from "./index_columns.ts";

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
  return readCacheFile(folder, buildId, (handle) => {
    const { linesEnd } = indexLayout(readFront(handle, INDEX_HEADER_SIZE));
    return decodeIndex(readFront(handle, linesEnd), buildId, fingerprint);
  });
}

/** As {@linkcode readCachedIndex}, of points and frames only: less than half as much. */
export function readCachedFrames(
  folder: string,
  buildId: string,
  fingerprint: string,
): FrameParts | undefined {
  return readCacheFile(folder, buildId, (handle) => {
    const { framesEnd } = indexLayout(readFront(handle, INDEX_HEADER_SIZE));
    return decodeFrames(readFront(handle, framesEnd), buildId, fingerprint);
  });
}

function readCacheFile<Parts>(
  folder: string,
  buildId: string,
  read: (handle: number) => Parts,
): Parts | undefined {
  if (buildId === "") return undefined;
  let handle: number;
  try {
    handle = openSync(join(folder, buildId + SUFFIX), "r");
  } catch {
    return undefined;
  }
  try {
    return read(handle);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  } finally {
    closeSync(handle);
  }
}

/** The first `size` bytes of a file. */
function readFront(handle: number, size: number): Uint8Array<ArrayBuffer> {
  if (size > fstatSync(handle).size) throw new FormatError("index", "file is cut short");
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const count = readSync(handle, bytes, done, size - done, done);
    if (count === 0) throw new FormatError("index", "file is cut short");
    done += count;
  }
  return bytes;
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
