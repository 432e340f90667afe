import { createHash } from "node:crypto";
import type { ResolvedRecord } from "../../coverage/hits/run_hits.ts";
import { appendVarint, MAX_VARINT_BYTES, VarintReader } from "../../record/columns/varints.ts";
import type { StoredRecord } from "../record_rows.ts";
import type { Column } from "./parquet_files.ts";

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

/** What a record has in `details`. */
export interface RecordDetails extends Pick<StoredRecord, "originOrder" | "unresolved"> {
  readonly absent: readonly string[];
  readonly others: Record<string, unknown>;
}

/** Reads `details`. */
export function parseDetails(text: string): RecordDetails {
  const { absent, originOrder, unresolved = [], ...others } = JSON.parse(text);
  return { absent, originOrder, unresolved, others };
}

/**
 * A record that {@linkcode recordColumns} made columns of.
 *
 * @param value gives its value in the column of a name
 */
export function recordAt(
  value: (column: string) => unknown,
  { absent, originOrder, unresolved, others }: RecordDetails,
): SegmentRecord {
  const text = (name: string): string => value(name) as string;
  const number = (name: string): number => Number(value(name));
  const flag = (name: string): boolean => Boolean(value(name));
  const isThere = (name: (typeof OPTIONAL)[number]): boolean => !absent.includes(name);
  const plain = {
    name: text("name"),
    file: text("file"),
    outcome: text("outcome"),
    durationMs: number("duration_ms"),
    scope: text("scope"),
    truncated: flag("truncated"),
    ...isThere("runner") ? { runner: text("runner") } : {},
    ...isThere("kind") ? { kind: text("kind") } : {},
    ...isThere("pass") ? { pass: number("pass") } : {},
    ...others,
  } as ResolvedRecord;
  return {
    record: isThere("firstRuns") ? withFirstRuns(plain, value("first_runs") as Uint8Array) : plain,
    shard: text("shard"),
    place: number("place"),
    points: number("points"),
    allPoints: number("all_points"),
    hasCounts: flag("has_counts"),
    known: flag("origins_known"),
    originOrder,
    unresolved,
  };
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
