import { xxh32 } from "../../base/xxh32.ts";
import {
  aligned,
  type Description,
  FRAME_COLUMNS,
  HEADER,
  INDEX_HEADER_SIZE,
  INDEX_VERSION,
  LINE_COLUMNS,
  MAGIC,
  STRING_COLUMNS,
} from "./image_index_file.ts";
import type { IndexParts } from "./index_columns.ts";

/**
 * The bytes of a cache file.
 *
 * @param fingerprint Says from which data the index was built, beyond the build id.
 */
export function encodeIndex(parts: IndexParts, fingerprint: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const symbolFiles = filesOfSymbols(parts);
  const frames = [
    ...FRAME_COLUMNS.map((name) => bytesOf(parts[name])),
    bytesOf(parts.paths.length <= 0x1_0000 ? Uint16Array.from(parts.framePath) : parts.framePath),
    bytesOf(parts.symbols.address),
    bytesOf(parts.symbols.size),
    bytesOf(symbolFiles.column),
    ...[
      ...STRING_COLUMNS.map((name) => parts[name]),
      Array.from(parts.symbols.address, (_, at) => parts.symbols.nameAt(at)),
      symbolFiles.strings,
    ].map(encodeStrings),
  ];
  const lines = [
    ...LINE_COLUMNS.map((name) => bytesOf(parts[name])),
    bytesOf(parts.allPointUnknown),
    encodeStrings(parts.problems),
  ];
  const description: Description = {
    buildId: parts.buildId,
    machine: parts.machine,
    base: parts.base,
    callLength: parts.callLength,
    universeStart: parts.universeStart,
    universeCount: parts.universeCount,
    fingerprint,
    linkageName: [...parts.linkageName],
    ...(parts.sections.length === 0 ? {} : { sections: parts.sections }),
    frameSizes: frames.map((column) => column.length),
    lineSizes: lines.map((column) => column.length),
  };
  const text = encoder.encode(JSON.stringify(description));
  const framesEnd = sizeOf(frames, INDEX_HEADER_SIZE + aligned(text.length));
  const linesEnd = sizeOf(lines, framesEnd);
  const bytes = new Uint8Array(linesEnd);
  bytes.set(text, INDEX_HEADER_SIZE);
  place(bytes, frames, INDEX_HEADER_SIZE + aligned(text.length));
  place(bytes, lines, framesEnd);
  const header = new Uint32Array(bytes.buffer, 0, INDEX_HEADER_SIZE / 4);
  header[HEADER.magic] = MAGIC;
  header[HEADER.version] = INDEX_VERSION;
  header[HEADER.framesEnd] = framesEnd / 8;
  header[HEADER.linesEnd] = linesEnd / 8;
  header[HEADER.framesChecksum] = xxh32(bytes.subarray(INDEX_HEADER_SIZE, framesEnd));
  header[HEADER.linesChecksum] = xxh32(bytes.subarray(framesEnd));
  header[HEADER.description] = text.length;
  header[HEADER.checksum] = xxh32(bytes.subarray(0, HEADER.checksum * 4));
  return bytes;
}

function sizeOf(columns: readonly Uint8Array[], from: number): number {
  return columns.reduce((end, column) => end + aligned(column.length), from);
}

function place(bytes: Uint8Array, columns: readonly Uint8Array[], from: number): void {
  let at = from;
  for (const column of columns) {
    bytes.set(column, at);
    at += aligned(column.length);
  }
}

/** The file of each symbol as a number; few files have many symbols. */
function filesOfSymbols({ symbols }: IndexParts): { strings: string[]; column: Uint32Array } {
  const numbers = new Map([["", 0]]);
  const column = new Uint32Array(symbols.address.length);
  for (let at = 0; at < column.length; at++) {
    const file = symbols.fileAt(at) ?? "";
    const number = numbers.get(file) ?? numbers.size;
    numbers.set(file, number);
    column[at] = number;
  }
  return { strings: [...numbers.keys()], column };
}

function bytesOf(column: ArrayBufferView): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function encodeStrings(strings: readonly string[]): Uint8Array {
  return new TextEncoder().encode(strings.map(oneLine).join("\n"));
}

function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}
