import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { encodeIndex } from "./encode_index.ts";
import { INDEX_SUFFIX } from "./cached_index.ts";
import type { IndexParts } from "./index_columns.ts";

/** Kernels and modules whose indexes are kept; the least recently written go first. */
const FILES_KEPT = 64;

/**
 * Stores the index of an image, so that readers see either the whole file or none. A cache that cannot be written to
 * (a read-only home) is no error: the index is then built each time.
 *
 * @returns Whether it was stored.
 */
export function writeCachedIndex(folder: string, parts: IndexParts, fingerprint: string): boolean {
  if (parts.buildId === "") return false;
  const path = join(folder, parts.buildId + INDEX_SUFFIX);
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
  const files = readdirSync(folder).filter((name) => name.endsWith(INDEX_SUFFIX));
  if (files.length <= FILES_KEPT) return;
  const times = files.map((name) => ({ name, time: statSync(join(folder, name)).mtimeMs }));
  times.sort((a, b) => b.time - a.time);
  for (const { name } of times.slice(FILES_KEPT)) rmSync(join(folder, name), { force: true });
}
