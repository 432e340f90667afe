import { createHash } from "node:crypto";
import type { ResolvedRecord } from "../../coverage/hits/run_hits.ts";
import { appendVarint, MAX_VARINT_BYTES, VarintReader } from "../../record/columns/varints.ts";
import type { StoredRecord } from "../record_rows.ts";
import type { Column, TableReader } from "./parquet_files.ts";

/** A record in a segment. */
export interface SegmentRecord extends StoredRecord {
  /** The shard that it came with. */
  readonly shard: string;
  /** Its place in the shard. */
  readonly place: number;
  /** Its points of which an origin counts by default, and all. */
  readonly points: number;
  readonly allPoints: number;
}

/** The columns of `tests.parquet`, a row for each record. */
export const RECORD_COLUMNS: readonly Column[] = [
  { name: "test", kind: "number" },
  { name: "id", kind: "text" },
  { name: "name", kind: "text" },
  { name: "file", kind: "text" },
  { name: "runner", kind: "text" },
  { name: "kind", kind: "text" },
  { name: "outcome", kind: "text" },
  { name: "duration_ms", kind: "real" },
  { name: "scope", kind: "text" },
  { name: "truncated", kind: "flag" },
  { name: "shard", kind: "text" },
  { name: "place", kind: "number" },
  { name: "pass", kind: "number" },
  { name: "points", kind: "number" },
  { name: "all_points", kind: "number" },
  { name: "has_counts", kind: "flag" },
  { name: "origins_known", kind: "flag" },
  { name: "details", kind: "text" },
  { name: "first_runs", kind: "bytes" },
];

/** What a record has a column for, but may not have. */
const OPTIONAL = ["runner", "kind", "pass", "firstRuns"] as const;
/** What of a record has a column. */
const IN_COLUMNS: ReadonlySet<string> = new Set([
  ...["name", "file", "outcome", "durationMs", "scope", "truncated"],
  ...OPTIONAL,
]);

/** What of a record has none: flags and the like, also those that later formats add; what is long has no place here. */
function othersOf(record: ResolvedRecord): Record<string, unknown> {
  const others: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(Object.getOwnPropertyDescriptors(record))) {
    if (!IN_COLUMNS.has(name) && !ArrayBuffer.isView(value.value)) others[name] = value.value;
  }
  return others;
}

/** The same for a test wherever and whenever it ran: of its runner, file and full name. */
export function testId(
  { runner = "", file, name }: Pick<ResolvedRecord, "runner" | "file" | "name">,
): string {
  return createHash("sha256").update(`${runner}\n${file}\n${name}`).digest("hex").slice(0, 16);
}

/**
 * The columns of records, of which the first has number `first`, in the order of {@linkcode RECORD_COLUMNS}.
 */
export function recordColumns(records: readonly SegmentRecord[], first = 0): unknown[][] {
  const rows = records.map((entry, at) => {
    const test = first + at;
    const { record, shard, place, points, allPoints, hasCounts, known } = entry;
    const { name, file, runner, kind, outcome, durationMs, scope, truncated, pass } = record;
    const firstRuns = encodedFirstRuns(record);
    const details = JSON.stringify({
      ...othersOf(record),
      absent: OPTIONAL.filter((name) =>
        (name === "firstRuns" ? firstRuns : record[name]) === undefined
      ),
      originOrder: entry.originOrder,
      unresolved: entry.unresolved.length === 0 ? undefined : entry.unresolved,
    });
    return [
      ...[test, testId(record), name, file, runner ?? "", kind ?? "test", outcome, durationMs],
      ...[scope, truncated, shard, place, pass ?? 0, points, allPoints, hasCounts, known],
      ...[details, firstRuns ?? new Uint8Array(0)],
    ];
  });
  return RECORD_COLUMNS.map((_, column) => rows.map((row) => row[column]));
}

/** Reads what {@linkcode recordColumns} made. */
export async function readRecords(table: TableReader): Promise<SegmentRecord[]> {
  const columns: Record<string, unknown[]> = {};
  for (const { name } of RECORD_COLUMNS) columns[name] = await table.values(name);
  return recordsOf(columns, table.rows);
}

/** Records of columns by name. */
export function recordsOf(
  columns: Record<string, ArrayLike<unknown>>,
  rows: number,
): SegmentRecord[] {
  const text = (name: string, row: number): string => columns[name][row] as string;
  const number = (name: string, row: number): number => Number(columns[name][row]);
  const flag = (name: string, row: number): boolean => Boolean(columns[name][row]);
  return Array.from({ length: rows }, (_, row): SegmentRecord => {
    const details = JSON.parse(text("details", row));
    const { absent, originOrder, unresolved = [], ...others } = details;
    const isThere = (name: (typeof OPTIONAL)[number]): boolean => !absent.includes(name);
    const plain = {
      name: text("name", row),
      file: text("file", row),
      outcome: text("outcome", row),
      durationMs: number("duration_ms", row),
      scope: text("scope", row),
      truncated: flag("truncated", row),
      ...isThere("runner") ? { runner: text("runner", row) } : {},
      ...isThere("kind") ? { kind: text("kind", row) } : {},
      ...isThere("pass") ? { pass: number("pass", row) } : {},
      ...others,
    } as ResolvedRecord;
    return {
      record: isThere("firstRuns")
        ? withFirstRuns(plain, columns.first_runs[row] as Uint8Array)
        : plain,
      shard: text("shard", row),
      place: number("place", row),
      points: number("points", row),
      allPoints: number("all_points", row),
      hasCounts: flag("has_counts", row),
      known: flag("origins_known", row),
      originOrder,
      unresolved,
    };
  });
}

/** Bytes that a stretch starts at a multiple of. */
const STRETCH = 1024;

/** Of records that were read, their first runs as they were written: most are never asked for. */
const encoded = new WeakMap<ResolvedRecord, Uint8Array>();

function withFirstRuns(record: ResolvedRecord, bytes: Uint8Array): ResolvedRecord {
  Object.defineProperty(record, "firstRuns", {
    enumerable: true,
    get: firstRunsOf,
  });
  encoded.set(record, bytes);
  return record;
}

/** A record as one of another pass. */
export function withPass(record: ResolvedRecord, pass: number): ResolvedRecord {
  const bytes = encoded.get(record);
  if (bytes === undefined) return { ...record, pass };
  const others = Object.entries(Object.getOwnPropertyDescriptors(record))
    .filter(([name]) => name !== "firstRuns").map(([name, { value }]) => [name, value]);
  return withFirstRuns({ ...Object.fromEntries(others), pass } as ResolvedRecord, bytes);
}

function firstRunsOf(this: ResolvedRecord): Float64Array<ArrayBuffer> {
  return decodeStretches(encoded.get(this)!);
}

function encodedFirstRuns(record: ResolvedRecord): Uint8Array | undefined {
  const known = encoded.get(record);
  if (known !== undefined) return known;
  return record.firstRuns && encodeStretches(record.firstRuns);
}

function encodeStretches(stretches: Float64Array): Uint8Array {
  const bytes = new Uint8Array(stretches.length * MAX_VARINT_BYTES);
  let end = 0, last = 0;
  for (const stretch of stretches) {
    const step = stretch / STRETCH - last;
    end = appendVarint(bytes, end, step < 0 ? -2 * step - 1 : 2 * step);
    last += step;
  }
  return bytes.slice(0, end);
}

function decodeStretches(bytes: Uint8Array): Float64Array<ArrayBuffer> {
  const reader = new VarintReader(bytes);
  const stretches: number[] = [];
  for (let last = 0; !reader.done;) {
    const code = reader.next();
    last += code % 2 === 1 ? -(code + 1) / 2 : code / 2;
    stretches.push(last * STRETCH);
  }
  return Float64Array.from(stretches);
}
