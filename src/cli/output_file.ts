import { existsSync, lstatSync, statSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { removeLeftParts, writeThrough, writeWhole } from "../sys/written_files.ts";
import { UsageError } from "./command_line.ts";

/** Text that is compressed at once: a file can be larger than the longest text. */
const GZIP_LENGTH = 1 << 22;

/** The name that stands for standard output. */
export const STANDARD_OUTPUT = "-";

/**
 * Writes a file whole or not at all, compressed where its name ends with `.gz`, or standard output for `-`. Folders are
 * made; what is there and is no file, such as a pipe, is written to, and a link is replaced.
 */
export async function writeOutput(path: string, parts: Iterable<string>): Promise<void> {
  if (path === STANDARD_OUTPUT) {
    for (const part of parts) await print(part);
    return;
  }
  const content = path.endsWith(".gz") ? gzipped(parts) : parts;
  // A test may have left a link where the file goes, to anything: only those of the kernel's own folders are followed.
  const stat = /^\/(dev|proc)\//.test(path) ? statSync : lstatSync;
  const there = stat(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new UsageError(`${path} is a folder: name a file in it`);
  if (there !== undefined && !there.isFile() && !there.isSymbolicLink()) {
    writeThrough(path, content);
    return;
  }
  removeLeftParts(dirname(path), (name) => name === basename(path));
  writeWhole(path, content);
}

function print(text: string): Promise<void> {
  return new Promise((resolve, reject) =>
    process.stdout.write(text, (error) => error ? reject(error) : resolve())
  );
}

/** Members of a gzip file, which are one after the other what the parts are. */
function* gzipped(parts: Iterable<string>): Generator<Uint8Array> {
  let text = "";
  for (const part of parts) {
    text += part;
    if (text.length < GZIP_LENGTH) continue;
    yield gzipSync(text);
    text = "";
  }
  yield gzipSync(text);
}

/** The name of part `number`, from 1, of a file in several parts: `a.xml`, `a-2.xml`; `b.info.gz`, `b-2.info.gz`. */
export function partName(path: string, number: number): string {
  if (number === 1) return path;
  const packed = path.endsWith(".gz") ? ".gz" : "";
  const plain = path.slice(0, path.length - packed.length);
  const extension = extname(plain);
  return `${plain.slice(0, plain.length - extension.length)}-${number}${extension}${packed}`;
}

/** Parts of a file after its last, left by an earlier report with more parts: a reader of all parts would read them too. */
export function partsBehind(path: string, last: number): string[] {
  const behind: string[] = [];
  for (let number = last + 1; existsSync(partName(path, number)); number++) {
    behind.push(partName(path, number));
  }
  return behind;
}
