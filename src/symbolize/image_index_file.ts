import { crc32 } from "node:zlib";
import { FormatError } from "../errors.ts";
import type { FrameParts, IndexParts, LineParts } from "./index_columns.ts";

/** Changes whenever the layout, or the rules by which columns are filled, change: older files are then built again. */
export const INDEX_VERSION = 4;

const MAGIC = 0x58_49_43_4b; // "KCIX"

/**
 * Words of the header. The file then has two parts: what frames need, with a description of the columns in JSON at its
 * front; and claimed lines, which symbolizing does without and does not read. Both begin at multiples of 8 bytes.
 */
const HEADER = {
  magic: 0,
  version: 1,
  /** Where the first part ends, and the second: multiples of 8 bytes. */
  framesEnd: 2,
  linesEnd: 3,
  framesChecksum: 4,
  linesChecksum: 5,
  /** Bytes of the description. */
  description: 6,
  /** Of the words before it. */
  checksum: 7,
} as const;

/** Bytes of the header. */
export const INDEX_HEADER_SIZE = 32;

/** Columns of 32-bit words in the order of the file. */
const FRAME_COLUMNS = [
  "everyOffset",
  "everyFrameStart",
  "frameFunction",
  "framePath",
  "frameLine",
  "functionFile",
  "functionLine",
  "functionEndLine",
  "pathFile",
] as const;
const LINE_COLUMNS = ["claimStart", "claimLine", "lineFile", "lineNumber"] as const;
/** Lists of strings, none of which holds a line feed. */
const STRING_COLUMNS = ["functionName", "files", "paths", "problems"] as const;

interface Description {
  buildId: string;
  machine: "x86-64" | "arm64";
  base: number;
  callLength: number;
  universeStart: number;
  universeCount: number;
  fingerprint: string;
  linkageName: [number, string][];
  /** Bytes of each column of the two parts, in the order of the file. */
  frameSizes: number[];
  lineSizes: number[];
}

/**
 * The bytes of a cache file.
 *
 * @param fingerprint says from which data the index was built, beyond the build id
 */
export function encodeIndex(parts: IndexParts, fingerprint: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const symbolFiles = filesOfSymbols(parts);
  const frames = [
    ...FRAME_COLUMNS.map((name) => bytesOf(parts[name])),
    bytesOf(parts.everyUnknown),
    bytesOf(parts.symbols.address),
    bytesOf(parts.symbols.size),
    bytesOf(symbolFiles.column),
    ...[
      ...STRING_COLUMNS.map((name) => parts[name]),
      Array.from(parts.symbols.address, (_, at) => parts.symbols.nameAt(at)),
      symbolFiles.strings,
    ].map((strings) => encoder.encode(strings.map(oneLine).join("\n"))),
  ];
  const lines = LINE_COLUMNS.map((name) => bytesOf(parts[name]));
  const description: Description = {
    buildId: parts.buildId,
    machine: parts.machine,
    base: parts.base,
    callLength: parts.callLength,
    universeStart: parts.universeStart,
    universeCount: parts.universeCount,
    fingerprint,
    linkageName: [...parts.linkageName],
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
  header[HEADER.framesChecksum] = crc32(bytes.subarray(INDEX_HEADER_SIZE, framesEnd));
  header[HEADER.linesChecksum] = crc32(bytes.subarray(framesEnd));
  header[HEADER.description] = text.length;
  header[HEADER.checksum] = crc32(bytes.subarray(0, HEADER.checksum * 4));
  return bytes;
}

/** Where the parts of a cache file end. */
export interface IndexLayout {
  readonly framesEnd: number;
  readonly linesEnd: number;
}

/**
 * Reads the header of a cache file.
 *
 * @throws {FormatError} where it is damaged or of another version
 */
export function indexLayout(bytes: Uint8Array): IndexLayout {
  const header = headerOf(bytes);
  return { framesEnd: header[HEADER.framesEnd] * 8, linesEnd: header[HEADER.linesEnd] * 8 };
}

/**
 * Reads a whole cache file back; its columns are views of `bytes`.
 *
 * @param bytes from the start of their buffer
 * @throws {FormatError} where the file is damaged, of another version, or of other data
 */
export function decodeIndex(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string,
): IndexParts {
  const { linesEnd } = indexLayout(bytes);
  if (linesEnd !== bytes.length) throw damaged("file is cut short");
  const { parts, description, framesEnd } = decodeFirstPart(bytes, buildId, fingerprint);
  if (headerOf(bytes)[HEADER.linesChecksum] !== crc32(bytes.subarray(framesEnd))) {
    throw damaged("checksum does not fit");
  }
  const columns = columnsAt(bytes, framesEnd, description.lineSizes).map(wordsOf);
  const [claimStart, claimLine, lineFile, lineNumber] = columns;
  const lines: LineParts = { claimStart, claimLine, lineFile, lineNumber };
  return Object.defineProperties(lines, Object.getOwnPropertyDescriptors(parts)) as IndexParts;
}

/** As {@linkcode decodeIndex}, of the first part of the file only. */
export function decodeFrames(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string,
): FrameParts {
  return decodeFirstPart(bytes, buildId, fingerprint).parts;
}

function decodeFirstPart(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string,
): { parts: FrameParts; description: Description; framesEnd: number } {
  const header = headerOf(bytes);
  const { framesEnd } = indexLayout(bytes);
  if (framesEnd > bytes.length || framesEnd < INDEX_HEADER_SIZE) throw damaged("file is cut short");
  if (header[HEADER.framesChecksum] !== crc32(bytes.subarray(INDEX_HEADER_SIZE, framesEnd))) {
    throw damaged("checksum does not fit");
  }
  const decoder = new TextDecoder();
  const textEnd = INDEX_HEADER_SIZE + header[HEADER.description];
  const description = JSON.parse(
    decoder.decode(bytes.subarray(INDEX_HEADER_SIZE, textEnd)),
  ) as Description;
  if (description.buildId !== buildId || description.fingerprint !== fingerprint) {
    throw damaged("file is of another image");
  }
  const from = INDEX_HEADER_SIZE + aligned(header[HEADER.description]);
  const columns = columnsAt(bytes, from, description.frameSizes);
  const words = columns.slice(0, FRAME_COLUMNS.length).map(wordsOf);
  const [
    offsets,
    everyFrameStart,
    frameFunction,
    framePath,
    frameLine,
    functionFile,
    functionLine,
    functionEndLine,
    pathFile,
  ] = words;
  const [unknown, symbolAddress, symbolSize, symbolFileColumn, ...texts] = columns.slice(
    words.length,
  );
  const symbolFiles = wordsOf(symbolFileColumn);
  const [functionName, files, paths, problems, symbolName, symbolFile] = texts.map((text) =>
    lazily(() => text.length === 0 ? [] : decoder.decode(text).split("\n"))
  );
  const parts: FrameParts = {
    buildId,
    machine: description.machine,
    base: description.base,
    callLength: description.callLength,
    universeStart: description.universeStart,
    universeCount: description.universeCount,
    everyOffset: new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length),
    everyUnknown: unknown,
    everyFrameStart,
    frameFunction,
    framePath,
    frameLine,
    functionFile,
    functionLine,
    functionEndLine,
    pathFile,
    linkageName: new Map(description.linkageName),
    get functionName() {
      return functionName();
    },
    get files() {
      return files();
    },
    get paths() {
      return paths();
    },
    get problems() {
      return problems();
    },
    symbols: {
      address: doublesOf(symbolAddress),
      size: doublesOf(symbolSize),
      nameAt: (at) => symbolName()[at],
      fileAt: (at) => symbolFile()[symbolFiles[at]] || undefined,
    },
  };
  return { parts, description, framesEnd };
}

function headerOf(bytes: Uint8Array): Uint32Array {
  if (bytes.length < INDEX_HEADER_SIZE || bytes.byteOffset !== 0) {
    throw damaged("file is too short");
  }
  const header = new Uint32Array(bytes.buffer, 0, INDEX_HEADER_SIZE / 4);
  if (header[HEADER.magic] !== MAGIC || header[HEADER.version] !== INDEX_VERSION) {
    throw damaged(`version is not ${INDEX_VERSION}`);
  }
  if (header[HEADER.checksum] !== crc32(bytes.subarray(0, HEADER.checksum * 4))) {
    throw damaged("checksum of the header does not fit");
  }
  return header;
}

function columnsAt(
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  sizes: readonly number[],
): Uint8Array<ArrayBuffer>[] {
  let at = from;
  return sizes.map((size) => {
    const column = bytes.subarray(at, at + size);
    at += aligned(size);
    return column;
  });
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

function damaged(problem: string): FormatError {
  return new FormatError("index", problem);
}

function aligned(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function bytesOf(column: ArrayBufferView): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function doublesOf(bytes: Uint8Array<ArrayBuffer>): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
}

function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}

/** Decoding a hundred thousand names takes longer than reading the file, and not every use needs them. */
function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
