import { fromBase64, toBase64 } from "../base/byte_text.ts";
import { crc32 } from "../base/crc32.ts";
import { FormatError } from "../errors.ts";
import {
  decodeAscending,
  decodeCounts,
  decodeFirstRuns,
  encodeAscending,
  encodeCounts,
  encodeFirstRuns,
} from "./columns/delta_varints.ts";
import { hitsOfOrigins, knowsOrigins, type OriginPoints } from "../kcov/origin.ts";
import type { Comparisons } from "../kcov/comparisons/comparisons.ts";
import type { TraceOrder } from "../kcov/trace_order.ts";
import { decodeComparisons, encodeComparisons } from "./columns/comparison_columns.ts";
import { decodeOrigins, encodeOrigins } from "./columns/origin_sets.ts";
import { decodeOrder, encodeOrder } from "./columns/trace_order.ts";
import type {
  BegunTest,
  LateWork,
  ModuleSection,
  RecordKind,
  RunKernel,
  RunModule,
  TestRecord,
  TreeDetails,
} from "./test_record.ts";

// A record file holds one JSON object a line: a header, then modules, the tests that begin, records and the late work of
// records, each module before the first record with its points, and at the end a line that says so. Each line ends with
// a checksum of what stands before it, so that a line that was cut or overwritten is never taken for a record.

/** Version of the format. */
const VERSION = 4;
/** The versions that a reader takes: of version 3 no record has origins, and none has late work. */
const READ_VERSIONS: readonly unknown[] = [3, VERSION];

/** First line of a record file. */
export interface RecordHeader {
  readonly kernel: RunKernel;
  /** Runtime and version that wrote the file, such as `deno 2.9.6`; for people. */
  readonly writer: string;
  /** Names the run: files of one run have the same. */
  readonly run: string;
  /** When the file was begun, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Where the kernel's image is; absent where the writer was not told. */
  readonly image?: string | undefined;
}

/** What is missing in a run, as far as its writers knew. */
export interface RunLosses {
  /** Records that could not be written. */
  readonly lost: number;
  /** Records that were damaged in the runs that it was merged from. */
  readonly damaged: number;
  /** For each file without an end in those runs, the name of its last record. */
  readonly cut: readonly string[];
}

/** The last line of a record file: nothing is missing after it. */
export interface RecordFileEnd extends RunLosses {
  /** How many records the file has. */
  readonly records: number;
}

/** A header as a line, with its line end. */
export function headerLine({ kernel, writer, run, startedAt, image }: RecordHeader): string {
  return seal({ kernelcov: VERSION, kernel, writer, run, startedAt, image });
}

/** A module as a line, with its line end. */
export function moduleLine({ name, buildId, sections, hidden }: RunModule): string {
  return seal({ module: name, buildId, sections, hidden });
}

/** A test that begins as a line, with its line end. */
export function begunLine({ name, ...rest }: BegunTest): string {
  return seal({ begun: name, ...rest });
}

/**
 * A record as a line, with its line end.
 *
 * @param number What late work names it by; only for a record with origins.
 */
export function recordLine(record: TestRecord, number?: number): string {
  const { pcs, hits, origins, firstRuns, order, comparisons, earlier: _earlier, ...rest } = record;
  const byOrigin = hits !== null && knowsOrigins(record);
  return seal({
    ...rest,
    number,
    points: pcs.length,
    pcs: toBase64(encodeAscending(pcs)),
    hits: hits === null || byOrigin ? null : toBase64(encodeCounts(hits)),
    origins: origins && toBase64(encodeOrigins(origins, pcs.length)),
    firstRuns: firstRuns && toBase64(encodeFirstRuns(firstRuns, pcs)),
    // Of which those of the points are the sums.
    originHits: byOrigin ? toBase64(encodeCounts(originHits(record.origins))) : undefined,
    // Readers of before take it for nothing.
    order: order && toBase64(encodeOrder(order.points)),
    ordered: order?.points.length,
    orderCut: order?.cut,
    comparisons: comparisons && encodeComparisons(comparisons).toBase64(),
    comparedPairs: comparisons?.times.length,
    comparisonsLost: comparisons?.lost,
    orderFull: order?.full,
  });
}

/** The hits of all origins, one behind the other. */
function originHits(origins: readonly OriginPoints[]): Uint32Array {
  const used = origins.filter(({ points }) => points.length > 0);
  const all = new Uint32Array(used.reduce((sum, { points }) => sum + points.length, 0));
  let end = 0;
  for (const { hits, points } of used) {
    all.set(hits!, end);
    end += points.length;
  }
  return all;
}

/** Late work of record `number` as a line, with its line end. */
export function lateLine(number: number, late: LateWork): string {
  const { pcs, origins, pending, dropped, truncated } = late;
  return seal({
    late: number,
    pending,
    dropped,
    truncated,
    points: pcs.length,
    pcs: toBase64(encodeAscending(pcs)),
    origins: toBase64(encodeOrigins(origins, pcs.length)),
  });
}

/** The end of a file as a line, with its line end. */
export function endLine({ records, lost, damaged, cut }: RecordFileEnd): string {
  return seal({ end: records, lost, damaged, cut });
}

/**
 * Reads a header line, without its line end; `undefined` where it is damaged.
 *
 * @throws {FormatError} Where it is of another version.
 */
export function parseHeaderLine(line: string): RecordHeader | undefined {
  try {
    const fields = unseal(line);
    if (READ_VERSIONS.includes(fields.kernelcov)) return headerOf(fields);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  throw new FormatError(
    "record",
    `the file is not of version ${
      READ_VERSIONS.join(" or ")
    }: read it with the kernelcov that wrote it`,
  );
}

function headerOf(fields: Fields): RecordHeader {
  const kernel = objectOf(fields.kernel, "kernel");
  return {
    kernel: {
      buildId: text(kernel, "buildId"),
      release: text(kernel, "release"),
      machine: text(kernel, "machine"),
    },
    writer: text(fields, "writer"),
    run: text(fields, "run"),
    startedAt: number(fields, "startedAt"),
    ...(fields.image === undefined ? {} : { image: text(fields, "image") }),
  };
}

/** What a line after the header holds. */
export type RecordFileLine =
  | { readonly record: TestRecord; readonly number?: number }
  | { readonly late: LateWork; readonly number: number }
  | { readonly module: RunModule }
  | { readonly begun: BegunTest }
  | { readonly end: RecordFileEnd };

/**
 * Reads the line of a record, of late work, of a module, of a test that begins or of the file's end, without its line
 * end.
 *
 * @throws {FormatError} Where it is damaged.
 */
export function parseLine(line: string): RecordFileLine {
  const fields = unseal(line);
  if (fields.module !== undefined) return { module: moduleOf(fields) };
  if (fields.begun !== undefined) return { begun: begunOf(fields) };
  if (fields.late !== undefined) return { late: lateOf(fields), number: number(fields, "late") };
  if (fields.end !== undefined) return { end: endOf(fields) };
  const record = recordOf(fields);
  return fields.number === undefined ? { record } : { record, number: number(fields, "number") };
}

function begunOf(fields: Fields): BegunTest {
  return {
    name: text(fields, "begun"),
    file: text(fields, "file"),
    scope: oneOf(fields, "scope", ["thread", "tree"]),
    hasHits: flag(fields, "hasHits"),
    ...optionalFields(fields),
  };
}

function endOf(fields: Fields): RecordFileEnd {
  const { cut } = fields;
  if (!Array.isArray(cut) || !cut.every((name) => typeof name === "string")) {
    throw new FormatError("record", "cut is not a list of names");
  }
  return {
    records: number(fields, "end"),
    lost: number(fields, "lost"),
    damaged: number(fields, "damaged"),
    cut,
  };
}

function moduleOf(fields: Fields): RunModule {
  if (!Array.isArray(fields.sections)) throw new FormatError("record", "sections is not a list");
  const sections = fields.sections.map((entry): ModuleSection => {
    const section = objectOf(entry, "section");
    return { name: text(section, "name"), address: number(section, "address") };
  });
  return {
    name: text(fields, "module"),
    buildId: text(fields, "buildId"),
    sections,
    ...(fields.hidden === undefined ? {} : { hidden: text(fields, "hidden") }),
  };
}

function recordOf(fields: Fields): TestRecord {
  const points = number(fields, "points");
  const origins = originsOf(fields, points);
  const pcs = decodeAscending(bytesOf(fields, "pcs"), points);
  return {
    name: text(fields, "name"),
    file: text(fields, "file"),
    outcome: oneOf(fields, "outcome", ["passed", "failed", "unfinished"]),
    durationMs: number(fields, "durationMs"),
    scope: oneOf(fields, "scope", ["thread", "tree"]),
    pcs,
    hits: hitsOf(fields, points, origins),
    truncated: flag(fields, "truncated"),
    shared: flag(fields, "shared"),
    callingThreadOnly: flag(fields, "callingThreadOnly"),
    ...(origins === undefined ? {} : { origins }),
    ...(fields.firstRuns === undefined
      ? {}
      : { firstRuns: decodeFirstRuns(bytesOf(fields, "firstRuns"), pcs) }),
    ...(fields.order === undefined ? {} : { order: orderOf(fields, points) }),
    ...(fields.comparisons === undefined ? {} : { comparisons: comparisonsOf(fields) }),
    ...optionalFields(fields),
    ...(fields.pass === undefined ? {} : { pass: number(fields, "pass") }),
    ...(fields.tree === undefined ? {} : { tree: treeDetails(objectOf(fields.tree, "tree")) }),
  };
}

function comparisonsOf(fields: Fields): Comparisons {
  const pairs = number(fields, "comparedPairs"), lost = number(fields, "comparisonsLost");
  return decodeComparisons(bytesOf(fields, "comparisons"), pairs, lost);
}

function orderOf(fields: Fields, count: number): TraceOrder {
  const points = decodeOrder(bytesOf(fields, "order"), number(fields, "ordered"), count);
  return { points, cut: number(fields, "orderCut"), full: flag(fields, "orderFull") };
}

function originsOf(fields: Fields, count: number): OriginPoints[] | undefined {
  if (fields.origins === undefined) return undefined;
  const origins = decodeOrigins(bytesOf(fields, "origins"), count);
  if (fields.originHits === undefined) return origins;
  const pairs = origins.reduce((sum, { points }) => sum + points.length, 0);
  const hits = decodeCounts(bytesOf(fields, "originHits"), pairs);
  let end = 0;
  return origins.map(({ origin, points }) => ({
    origin,
    points,
    hits: hits.slice(end, end += points.length),
  }));
}

function hitsOf(
  fields: Fields,
  count: number,
  origins: readonly OriginPoints[] | undefined,
): Uint32Array | null {
  if (fields.originHits !== undefined && origins !== undefined) {
    return hitsOfOrigins(origins, count);
  }
  return fields.hits === null ? null : decodeCounts(bytesOf(fields, "hits"), count);
}

function lateOf(fields: Fields): LateWork {
  const points = number(fields, "points");
  return {
    pcs: decodeAscending(bytesOf(fields, "pcs"), points),
    origins: decodeOrigins(bytesOf(fields, "origins"), points),
    pending: number(fields, "pending"),
    dropped: number(fields, "dropped"),
    truncated: flag(fields, "truncated"),
  };
}

function optionalFields(fields: Fields): Pick<TestRecord, "runner" | "kind"> {
  return {
    ...(fields.runner === undefined ? {} : { runner: text(fields, "runner") }),
    ...(fields.kind === undefined ? {} : { kind: oneOf(fields, "kind", RECORD_KINDS) }),
  };
}

const RECORD_KINDS: readonly RecordKind[] = ["test", "baseline", "command", "outside"];

function treeDetails(fields: Fields): TreeDetails {
  const { refused } = fields;
  if (!Array.isArray(refused)) throw new FormatError("record", "refused is not a list");
  return {
    tasks: number(fields, "tasks"),
    refused: refused.map((entry) => {
      const counted = objectOf(entry, "refused");
      return { reason: text(counted, "reason"), tasks: number(counted, "tasks") };
    }),
    finished: flag(fields, "finished"),
    ...(fields.threadsShared === undefined ? {} : { threadsShared: flag(fields, "threadsShared") }),
    ...(fields.pending === undefined ? {} : { pending: number(fields, "pending") }),
    ...(fields.dropped === undefined ? {} : { dropped: number(fields, "dropped") }),
  };
}

/** What a line holds. */
export type Fields = Record<string, unknown>;

const CHECKSUM_DIGITS = 8;
const encoder = new TextEncoder();

/** A line with its checksum and line end. */
export function seal(fields: Fields): string {
  const json = JSON.stringify(fields);
  return `${json} ${checksum(json)}\n`;
}

/**
 * What {@linkcode seal} sealed, without its line end.
 *
 * @throws {FormatError} Where it is damaged.
 */
export function unseal(line: string): Fields {
  const json = line.slice(0, -CHECKSUM_DIGITS - 1);
  if (line !== `${json} ${checksum(json)}`) {
    throw new FormatError("record", "a line is damaged: its checksum does not match");
  }
  return objectOf(JSON.parse(json), "a line");
}

function checksum(json: string): string {
  return crc32(encoder.encode(json)).toString(16).padStart(CHECKSUM_DIGITS, "0");
}

function objectOf(value: unknown, name: string): Fields {
  if (typeof value === "object" && value !== null) return value as Fields;
  throw new FormatError("record", `${name} is not an object`);
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw new FormatError("record", `${name} is not text`);
}

function bytesOf(fields: Fields, name: string): Uint8Array {
  try {
    return fromBase64(text(fields, name));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("record", `${name} is not base64`, { cause });
  }
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number") return value;
  throw new FormatError("record", `${name} is not a number`);
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value === "boolean") return value;
  throw new FormatError("record", `${name} is not true or false`);
}

function oneOf<Word extends string>(fields: Fields, name: string, words: readonly Word[]): Word {
  const value = words.find((word) => word === fields[name]);
  if (value !== undefined) return value;
  throw new FormatError("record", `${name} is none of ${words.join(", ")}`);
}
