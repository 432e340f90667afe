import { closeSync, createReadStream, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { FormatError } from "../../errors.ts";
import { FAULTS_SUFFIX } from "../../record/faults/fault_files.ts";
import { RECORDS_SUFFIX } from "../../record/run_folder.ts";

const BLOCK = 512;
/** Longer names are no paths. */
const LONGEST_NAME = 1 << 16;
const decoder = new TextDecoder();

/**
 * Unpacks the record files of a tar archive, compressed or not, into folders of numbered names, one for each folder of
 * the archive: nothing else of it is written, and nowhere else.
 *
 * @throws {FormatError} Where it is damaged or cut short.
 */
export async function extractRecords(path: string, directory: string): Promise<void> {
  const file = createReadStream(path);
  const stream = path.endsWith(".tar") ? file : file.pipe(createGunzip());
  // Else an error of the file would never reach the stream that is read.
  file.on("error", (error) => stream.destroy(error));
  const reader = new BlockReader(stream, path);
  const folders = new Map<string, string>();
  let longName: string | undefined;
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) break;
    checkHeader(header, path);
    const size = sizeOf(header);
    const type = String.fromCharCode(header[156]);
    if ("Lx".includes(type)) {
      if (size > LONGEST_NAME) throw damaged(path);
      const bytes = await reader.take(size);
      await reader.skip(padding(size));
      if (bytes === undefined) throw damaged(path);
      const text = decoder.decode(bytes);
      // One of pax is LENGTH KEY=VALUE.
      longName = type === "L"
        ? text.replace(/\0.*$/s, "")
        : /\d+ path=([^\n]*)\n/.exec(text)?.[1] ?? longName;
      continue;
    }
    const name = longName ?? nameOf(header);
    longName = undefined;
    const isWanted = name.endsWith(RECORDS_SUFFIX) || name.endsWith(FAULTS_SUFFIX);
    if (!isWanted || (type !== "0" && type !== "\0")) {
      await reader.skip(size + padding(size));
      continue;
    }
    const slash = name.lastIndexOf("/");
    const from = name.slice(0, Math.max(slash, 0));
    let to = folders.get(from);
    if (to === undefined) {
      folders.set(from, to = join(directory, String(folders.size).padStart(6, "0")));
      mkdirSync(to);
    }
    const fd = openSync(join(to, name.slice(slash + 1)), "w");
    try {
      await reader.copy(size, (bytes) => {
        for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
      });
    } finally {
      closeSync(fd);
    }
    await reader.skip(padding(size));
  }
  stream.destroy();
  file.destroy();
}

function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

function field(header: Uint8Array, from: number, length: number): string {
  return decoder.decode(header.subarray(from, from + length)).replace(/\0.*$/s, "");
}

function nameOf(header: Uint8Array): string {
  const name = field(header, 0, 100);
  const prefix = field(header, 257, 5) === "ustar" ? field(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function sizeOf(header: Uint8Array): number {
  // GNU has large sizes as binary numbers.
  if ((header[124] & 0x80) !== 0) {
    return header.subarray(125, 136).reduce((size, byte) => size * 256 + byte, 0);
  }
  return parseInt(field(header, 124, 12).trim() || "0", 8);
}

function checkHeader(header: Uint8Array, path: string): void {
  const stored = parseInt(field(header, 148, 8).trim(), 8);
  let sum = 8 * 32;
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += header[at];
  if (stored !== sum) throw damaged(path);
}

function damaged(path: string, cause?: unknown): FormatError {
  return new FormatError("tar", `${path} is damaged or cut short: make the archive again`, {
    cause,
  });
}

/** Reads a stream in parts of any size. */
class BlockReader {
  readonly #parts: AsyncIterator<Uint8Array>;
  readonly #path: string;
  #rest = new Uint8Array(0);

  constructor(stream: Readable, path: string) {
    this.#parts = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    this.#path = path;
  }

  /** The next bytes; `undefined` at the end. */
  async take(size: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(size);
    let at = 0;
    if (size > 0 && this.#rest.length === 0 && !await this.#more()) return undefined;
    await this.copy(size, (part) => {
      bytes.set(part, at);
      at += part.length;
    });
    return bytes;
  }

  async skip(size: number): Promise<void> {
    await this.copy(size, () => {});
  }

  async copy(size: number, to: (bytes: Uint8Array) => void): Promise<void> {
    for (let left = size; left > 0;) {
      if (this.#rest.length === 0 && !await this.#more()) throw damaged(this.#path);
      const part = this.#rest.subarray(0, left);
      to(part);
      left -= part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
  }

  async #more(): Promise<boolean> {
    try {
      const { value, done } = await this.#parts.next();
      if (done === true) return false;
      this.#rest = new Uint8Array(value);
      return true;
    } catch (error) {
      throw damaged(this.#path, error);
    }
  }
}
