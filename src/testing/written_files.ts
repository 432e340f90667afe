import { closeSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import process from "node:process";

/** Parts are gathered to writes of about this many bytes. */
const WRITE_BYTES = 1 << 20;

/**
 * Writes a file whole or not at all: under another name, then renamed, so that a viewer or a second writer never
 * sees half of it. Folders are made.
 *
 * @throws {Error} The file system's own error.
 */
export function writeWhole(path: string, parts: Iterable<string>): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.${performance.now()}.partial`;
  const fd = openSync(partial, "wx");
  try {
    let gathered = "";
    for (const part of parts) {
      gathered += part;
      if (gathered.length < WRITE_BYTES) continue;
      writeFully(fd, gathered);
      gathered = "";
    }
    writeFully(fd, gathered);
    closeSync(fd);
    renameSync(partial, path);
  } catch (error) {
    unlinkSync(partial);
    throw error;
  }
}

function writeFully(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
}
