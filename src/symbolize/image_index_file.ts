import { FormatError } from "../errors.ts";
import type { IndexParts } from "./index_columns.ts";

/** Changes whenever the layout, or the rules by which columns are filled, change: older files are then built again. */
export const INDEX_VERSION = 3;

const MAGIC = 0x58_49_43_4b; // "KCIX"
/** Magic, version, checksum (two words), bytes of the description. */
const HEADER_WORDS = 6;

/** Columns of 32-bit words in the order of the file. */
const WORD_COLUMNS = [
  "everyOffset",
  "everyFrameStart",
  "frameFunction",
  "framePath",
  "frameLine",
  "claimStart",
  "claimLine",
  "lineFile",
  "lineNumber",
  "functionFile",
  "functionLine",
  "functionEndLine",
  "pathFile",
] as const;
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
  /** Bytes of each column, in the order of the file. */
  sizes: number[];
}

/**
 * The bytes of a cache file.
 *
 * @param fingerprint says from which data the index was built, beyond the build id
 */
export function encodeIndex(parts: IndexParts, fingerprint: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const symbolFiles = filesOfSymbols(parts);
  const columns: Uint8Array[] = [
    ...WORD_COLUMNS.map((name) => bytesOf(parts[name])),
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
  const description: Description = {
    buildId: parts.buildId,
    machine: parts.machine,
    base: parts.base,
    callLength: parts.callLength,
    universeStart: parts.universeStart,
    universeCount: parts.universeCount,
    fingerprint,
    linkageName: [...parts.linkageName],
    sizes: columns.map((column) => column.length),
  };
  const text = encoder.encode(JSON.stringify(description));
  let size = aligned(HEADER_WORDS * 4 + text.length);
  for (const column of columns) size += aligned(column.length);
  const bytes = new Uint8Array(size);
  bytes.set(text, HEADER_WORDS * 4);
  let at = aligned(HEADER_WORDS * 4 + text.length);
  for (const column of columns) {
    bytes.set(column, at);
    at += aligned(column.length);
  }
  const header = new Uint32Array(bytes.buffer, 0, HEADER_WORDS);
  header[0] = MAGIC;
  header[1] = INDEX_VERSION;
  header[4] = text.length;
  header[5] = size / 8;
  const [low, high] = checksum(bytes);
  header[2] = low;
  header[3] = high;
  return bytes;
}

/**
 * Reads a cache file back; its columns are views of `bytes`.
 *
 * @param bytes from the start of their buffer
 * @throws {FormatError} where the file is damaged, of another version, or of other data
 */
export function decodeIndex(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string,
): IndexParts {
  if (bytes.length < HEADER_WORDS * 4 || bytes.length % 8 !== 0 || bytes.byteOffset !== 0) {
    throw damaged("file is too short");
  }
  const header = new Uint32Array(bytes.buffer, 0, HEADER_WORDS);
  if (header[0] !== MAGIC || header[1] !== INDEX_VERSION) {
    throw damaged(`version is not ${INDEX_VERSION}`);
  }
  if (header[5] !== bytes.length / 8) throw damaged("file is cut short");
  const [low, high] = checksum(bytes);
  if (header[2] !== low || header[3] !== high) throw damaged("checksum does not fit");
  const decoder = new TextDecoder();
  const description = JSON.parse(
    decoder.decode(bytes.subarray(HEADER_WORDS * 4, HEADER_WORDS * 4 + header[4])),
  ) as Description;
  if (description.buildId !== buildId || description.fingerprint !== fingerprint) {
    throw damaged("file is of another image");
  }
  let at = aligned(HEADER_WORDS * 4 + header[4]);
  const columns = description.sizes.map((size) => {
    const column = bytes.subarray(at, at + size);
    at += aligned(size);
    return column;
  });
  const words = WORD_COLUMNS.map((_, index) => wordsOf(columns[index]));
  const column = (name: typeof WORD_COLUMNS[number]): Uint32Array =>
    words[WORD_COLUMNS.indexOf(name)];
  const [unknown, symbolAddress, symbolSize, symbolFileColumn, ...texts] = columns.slice(
    WORD_COLUMNS.length,
  );
  const symbolFiles = wordsOf(symbolFileColumn);
  const strings = texts.map((text) => () =>
    text.length === 0 ? [] : decoder.decode(text).split("\n")
  );
  const [functionName, files, paths, problems, symbolName, symbolFile] = strings.map(lazily);
  const offsets = column("everyOffset");
  return {
    buildId,
    machine: description.machine,
    base: description.base,
    callLength: description.callLength,
    universeStart: description.universeStart,
    universeCount: description.universeCount,
    everyOffset: new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length),
    everyUnknown: unknown,
    everyFrameStart: column("everyFrameStart"),
    frameFunction: column("frameFunction"),
    framePath: column("framePath"),
    frameLine: column("frameLine"),
    claimStart: column("claimStart"),
    claimLine: column("claimLine"),
    lineFile: column("lineFile"),
    lineNumber: column("lineNumber"),
    functionFile: column("functionFile"),
    functionLine: column("functionLine"),
    functionEndLine: column("functionEndLine"),
    pathFile: column("pathFile"),
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
}

/** Two sums over all words but the checksum's own; they depend on each word and its place. */
function checksum(bytes: Uint8Array<ArrayBuffer>): [number, number] {
  const words = new Int32Array(bytes.buffer, 0, bytes.length / 4);
  let a = 0x243f6a88, b = 0x85a308d3 | 0, c = 0x13198a2e, d = 0x03707344;
  a = Math.imul(a ^ words[0], 0x9e3779b1);
  b = Math.imul(b ^ words[1], 0x85ebca77);
  c = Math.imul(c ^ words[4], 0xc2b2ae3d);
  d = Math.imul(d ^ words[5], 0x27d4eb2f);
  const end = words.length - 3;
  let at = HEADER_WORDS;
  // Four sums side by side: each multiplication waits for the one before it.
  for (; at < end; at += 4) {
    a = Math.imul(a ^ words[at], 0x9e3779b1);
    b = Math.imul(b ^ words[at + 1], 0x85ebca77);
    c = Math.imul(c ^ words[at + 2], 0xc2b2ae3d);
    d = Math.imul(d ^ words[at + 3], 0x27d4eb2f);
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 16;
    d ^= d >>> 14;
  }
  for (; at < words.length; at++) a = Math.imul(a ^ words[at], 0x9e3779b1) ^ (a >>> 15);
  const low = Math.imul(a ^ (c >>> 7), 0x2c1b3c6d) ^ b;
  const high = Math.imul(b ^ (d >>> 9), 0x297a2d39) ^ c ^ d;
  return [low >>> 0, high >>> 0];
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
