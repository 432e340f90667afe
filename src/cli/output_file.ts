import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { gzipSync } from "node:zlib";
import { writeWhole } from "../testing/written_files.ts";

/** Writes a file whole or not at all, compressed where its name ends with `.gz`. Folders are made. */
export function writeOutput(path: string, parts: Iterable<string>): void {
  if (!path.endsWith(".gz")) {
    writeWhole(path, parts);
    return;
  }
  writeWhole(path, [gzipSync(Buffer.from([...parts].join("")))]);
}

/** The name of part `number`, from 1, of a file in several parts: `a.xml`, `a-2.xml`; `b.info.gz`, `b-2.info.gz`. */
export function partName(path: string, number: number): string {
  if (number === 1) return path;
  const packed = path.endsWith(".gz") ? ".gz" : "";
  const plain = path.slice(0, path.length - packed.length);
  const extension = extname(plain);
  return `${plain.slice(0, plain.length - extension.length)}-${number}${extension}${packed}`;
}

/** Parts of a file behind its last, which an earlier report in more parts left: who reads all parts would read them too. */
export function partsBehind(path: string, last: number): string[] {
  const behind: string[] = [];
  for (let number = last + 1; existsSync(partName(path, number)); number++) {
    behind.push(partName(path, number));
  }
  return behind;
}
