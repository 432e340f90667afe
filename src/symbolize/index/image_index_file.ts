import { xxh32 } from "../../base/xxh32.ts";
import type { MachineName } from "../../elf/machine.ts";
import { FormatError } from "../../errors.ts";
import type { CodeSection } from "./image_index.ts";
import type { FrameParts, IndexParts, LineParts } from "./index_columns.ts";

/** Changes whenever the layout, or the rules by which columns are filled, change: older files are then built again. */
export const INDEX_VERSION = 9;

export const MAGIC = 0x58_49_43_4b; // "KCIX"

/**
 * Words of the header. The file then has two parts: what frames need, with a description of the columns in JSON at its
 * front; and what reports need beside them, which symbolizing does without and does not read. Both begin at multiples of 8 bytes.
 */
export const HEADER = {
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
export const FRAME_COLUMNS = [
  "allPointOffsets",
  "allFrameStart",
  "frameFunction",
  "frameLine",
  "pathFile",
] as const;
export const LINE_COLUMNS = [
  "claimStart",
  "claimLine",
  "lineFile",
  "lineNumber",
  "functionFile",
  "functionLine",
  "functionEndLine",
] as const;
/** Lists of strings, none of which holds a line feed. */
export const STRING_COLUMNS = ["functionName", "files", "paths"] as const;

/** What stands at the front of the first part. */
export interface Description {
  buildId: string;
  machine: MachineName;
  base: number;
  callLength: number;
  universeStart: number;
  universeCount: number;
  fingerprint: string;
  linkageName: [number, string][];
  /** Of a module. */
  sections?: readonly CodeSection[];
  /** Bytes of each column of the two parts, in the order of the file. */
  frameSizes: number[];
  lineSizes: number[];
}

/** Where the parts of a cache file end. */
export interface IndexLayout {
  readonly framesEnd: number;
  readonly linesEnd: number;
}

/**
 * Reads the header of a cache file.
 *
 * @throws {FormatError} Where it is damaged or of another version.
 */
export function indexLayout(bytes: Uint8Array): IndexLayout {
  const header = headerOf(bytes);
  return { framesEnd: header[HEADER.framesEnd] * 8, linesEnd: header[HEADER.linesEnd] * 8 };
}

/**
 * Reads a whole cache file back; its columns are views of `bytes`.
 *
 * @param bytes From the start of their buffer.
 * @throws {FormatError} Where the file is damaged, of another version, or of other data.
 */
export function decodeIndex(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string | undefined,
): IndexParts {
  const { linesEnd } = indexLayout(bytes);
  if (linesEnd !== bytes.length) throw damaged("file is cut short");
  const { parts, description, framesEnd } = decodeFirstPart(bytes, buildId, fingerprint);
  if (headerOf(bytes)[HEADER.linesChecksum] !== xxh32(bytes.subarray(framesEnd))) {
    throw damaged("checksum does not fit");
  }
  const columns = columnsAt(bytes, framesEnd, description.lineSizes);
  const [allPointUnknown, problems] = columns.slice(LINE_COLUMNS.length);
  const words = columns.slice(0, LINE_COLUMNS.length).map(wordsOf);
  const [claimStart, claimLine, lineFile, lineNumber] = words;
  const [functionFile, functionLine, functionEndLine] = words.slice(4);
  const lines: LineParts = {
    allPointUnknown,
    functionFile,
    functionLine,
    functionEndLine,
    problems: stringsOf(problems),
    claimStart,
    claimLine,
    lineFile,
    lineNumber,
  };
  return Object.defineProperties(lines, Object.getOwnPropertyDescriptors(parts)) as IndexParts;
}

/** As {@linkcode decodeIndex}, of the first part of the file only. */
export function decodeFrames(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string | undefined,
): FrameParts {
  return decodeFirstPart(bytes, buildId, fingerprint).parts;
}

function decodeFirstPart(
  bytes: Uint8Array<ArrayBuffer>,
  buildId: string,
  fingerprint: string | undefined,
): { parts: FrameParts; description: Description; framesEnd: number } {
  const header = headerOf(bytes);
  const { framesEnd } = indexLayout(bytes);
  if (framesEnd > bytes.length || framesEnd < INDEX_HEADER_SIZE) throw damaged("file is cut short");
  if (header[HEADER.framesChecksum] !== xxh32(bytes.subarray(INDEX_HEADER_SIZE, framesEnd))) {
    throw damaged("checksum does not fit");
  }
  const decoder = new TextDecoder();
  const textEnd = INDEX_HEADER_SIZE + header[HEADER.description];
  const description = JSON.parse(
    decoder.decode(bytes.subarray(INDEX_HEADER_SIZE, textEnd)),
  ) as Description;
  const isOther = fingerprint !== undefined && description.fingerprint !== fingerprint;
  if (description.buildId !== buildId || isOther) {
    throw damaged("file is of another image");
  }
  const from = INDEX_HEADER_SIZE + aligned(header[HEADER.description]);
  const columns = columnsAt(bytes, from, description.frameSizes);
  const words = columns.slice(0, FRAME_COLUMNS.length).map(wordsOf);
  const [
    offsets,
    allFrameStart,
    frameFunction,
    frameLine,
    pathFile,
  ] = words;
  const [framePath, symbolAddress, symbolSize, symbolFileColumn, ...texts] = columns.slice(
    words.length,
  );
  const symbolFiles = wordsOf(symbolFileColumn);
  const [functionName, files, paths, symbolName, symbolFile] = texts.map((text) =>
    lazily(() => stringsOf(text))
  );
  const parts: FrameParts = {
    buildId,
    machine: description.machine,
    base: description.base,
    callLength: description.callLength,
    universeStart: description.universeStart,
    universeCount: description.universeCount,
    allPointOffsets: new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length),
    allFrameStart,
    frameFunction,
    framePath: framePath.length === frameLine.length * 2
      ? halfWordsOf(framePath)
      : wordsOf(framePath),
    frameLine,
    pathFile,
    linkageName: new Map(description.linkageName),
    sections: description.sections ?? [],
    get functionName() {
      return functionName();
    },
    get files() {
      return files();
    },
    get paths() {
      return paths();
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
  if (header[HEADER.checksum] !== xxh32(bytes.subarray(0, HEADER.checksum * 4))) {
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

function damaged(problem: string): FormatError {
  return new FormatError("index", problem);
}

/** Columns begin at multiples of 8 bytes. */
export function aligned(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

function halfWordsOf(bytes: Uint8Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

function stringsOf(bytes: Uint8Array): string[] {
  return bytes.length === 0 ? [] : new TextDecoder().decode(bytes).split("\n");
}

function doublesOf(bytes: Uint8Array<ArrayBuffer>): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
}

/** Decoding a hundred thousand names takes longer than reading the file, and not every use needs them. */
function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
