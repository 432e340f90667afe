import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

/** Bytes per write. */
const WRITE_BYTES = 1 << 18;

/**
 * Writes a file whole or not at all: under another name, then renamed, so that a viewer or a second writer never
 * sees half of it. Folders are made.
 *
 * @throws {Error} The file system's own error.
 */
export function writeWhole(path: string, parts: Iterable<string | Uint8Array>): void {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.${performance.now()}.partial`;
  const fd = openSync(partial, "wx");
  try {
    writeParts(fd, parts);
    closeSync(fd);
    renameSync(partial, path);
  } catch (error) {
    unlinkSync(partial);
    throw error;
  }
}

/**
 * Writes to what lies at `path` and is no file, such as a pipe of the shell's: a file in its place would take it away.
 *
 * @throws {Error} The file system's own error.
 */
export function writeThrough(path: string, parts: Iterable<string | Uint8Array>): void {
  const fd = openSync(path, "w");
  try {
    writeParts(fd, parts);
  } finally {
    closeSync(fd);
  }
}

/** Removes what processes that were killed left of files that they wrote with {@linkcode writeWhole}. */
export function removeLeftParts(
  directory: string,
  isOurs: (name: string) => boolean = () => true,
): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory)) {
    const [, name, writer] = /^(.+?)\.(\d+)\.[\d.]+\.partial$/.exec(entry) ?? [];
    if (name === undefined || !isOurs(name) || existsSync(`/proc/${writer}`)) continue;
    rmSync(join(directory, entry), { force: true });
  }
}

/** Gathers text in one buffer: in a guest kernel every new page costs more than what is written to it. */
function writeParts(fd: number, parts: Iterable<string | Uint8Array>): void {
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(WRITE_BYTES);
  let used = 0;
  for (const part of parts) {
    if (typeof part !== "string") {
      writeFully(fd, buffer.subarray(0, used));
      used = 0;
      writeFully(fd, part);
      continue;
    }
    for (let at = 0; at < part.length;) {
      const { read, written } = encoder.encodeInto(
        at === 0 ? part : part.slice(at),
        buffer.subarray(used),
      );
      at += read;
      used += written;
      // Less than a whole character may be left of the buffer.
      if (at === part.length) break;
      writeFully(fd, buffer.subarray(0, used));
      used = 0;
    }
  }
  writeFully(fd, buffer.subarray(0, used));
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written);
  }
}
