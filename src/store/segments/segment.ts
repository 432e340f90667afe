import { join } from "node:path";
import { CAUSED_BY_TESTS, COUNTS } from "../../coverage/origin_selection.ts";
import { meaningOf, type OriginSet } from "../origin_dictionary.ts";
import type { StoreSegment } from "../store_manifest.ts";
import type { HitBlock } from "./hit_block.ts";
import { type Column, TableReader, TableWriter } from "./parquet_files.ts";
import { POINT_COLUMNS, type PointIndex, PointIndexBuilder, RECORD_KINDS } from "./point_index.ts";
import { RECORD_COLUMNS, recordColumns, type SegmentRecord } from "./record_table.ts";
import { type RecordList, StoredRecords } from "./stored_records.ts";

/** The files of a segment. */
export const SEGMENT_FILES = ["hits", "tests", "points", "origins"] as const;

const HIT_COLUMNS: readonly Column[] = [
  { name: "point", kind: "sorted" },
  { name: "test", kind: "ascending" },
  { name: "origins", kind: "number" },
  { name: "count", kind: "real" },
];
const POINT_TABLE: readonly Column[] = POINT_COLUMNS.map((name) => ({
  name,
  kind: name === "point" ? "sorted" : "ascending",
}));
const ORIGIN_COLUMNS: readonly Column[] = [
  { name: "origins", kind: "number" },
  { name: "members", kind: "text" },
  { name: "threads_shared", kind: "flag" },
  { name: "known", kind: "flag" },
  { name: "counts_by_default", kind: "flag" },
];
/** Rows of a row group of other tables than that of hits. */
const GROUP_ROWS = 1 << 17;

/** Of records there are many columns. */
const RECORD_ROWS = 1 << 13;

/** What a segment has besides its hits. */
export interface SegmentParts {
  readonly records: RecordList;
  /** By record, of {@linkcode RECORD_KINDS}, where that is known already. */
  readonly kinds?: Uint8Array | undefined;
  readonly sets: readonly OriginSet[];
}

/** Path of a segment's folder in a store: engines read the name as a column. */
export function segmentFolder(store: string, id: string): string {
  return join(store, "segments", `segment=${id}`);
}

/**
 * Writes the files of a segment to a folder. The numbers of points of each record are counted from its rows.
 *
 * @param machine whose numbers system calls are
 */
export function writeSegment(
  folder: string,
  id: string,
  machine: string,
  { records, kinds = kindsOf(records), sets }: SegmentParts,
  blocks: Iterable<HitBlock> | AsyncIterable<HitBlock>,
): Promise<StoreSegment> {
  const { bits } = meaningOf(sets, machine, CAUSED_BY_TESTS);
  const index = new PointIndexBuilder(bits, kinds);
  return write();

  async function write(): Promise<StoreSegment> {
    let rows = 0, hasCounts = false;
    using hits = new TableWriter(join(folder, "hits.parquet"), HIT_COLUMNS);
    for await (const block of blocks) {
      index.add(block);
      rows += block.points.length;
      hasCounts ||= block.counts.some((count) => count !== 0);
      // Numbers of 32 bits are signed in the format.
      hits.write(block.points, block.tests, block.origins, Float64Array.from(block.counts));
    }
    let bytes = hits.end();
    const found = index.end();
    const counted = async (from: number, to: number): Promise<SegmentRecord[]> => {
      await records.prepare?.(from, to);
      return Array.from({ length: to - from }, (_, at) => ({
        ...records.at(from + at)!,
        points: index.counted[from + at],
        allPoints: index.all[from + at],
      }));
    };
    bytes += await writeRecords(join(folder, "tests.parquet"), records.length, counted);
    bytes += writeTable(
      join(folder, "points.parquet"),
      POINT_TABLE,
      POINT_COLUMNS.map((name) => found[name]),
    );
    bytes += writeTable(join(folder, "origins.parquet"), ORIGIN_COLUMNS, [
      sets.map((_, set) => set),
      sets.map(({ origins }) => origins.join(" ")),
      sets.map(({ threadsShared }) => threadsShared),
      sets.map(({ known }) => known),
      [...bits].map((bit) => bit >= COUNTS),
    ]);
    return { id, rows, records: records.length, hasCounts, bytes };
  }
}

function kindsOf(records: RecordList): Uint8Array {
  return Uint8Array.from({ length: records.length }, (_, at) => {
    const { record: { kind } } = records.at(at)!;
    return kind === "baseline" || kind === "outside" ? RECORD_KINDS[kind] : RECORD_KINDS.test;
  });
}

async function writeRecords(
  path: string,
  count: number,
  records: (from: number, to: number) => Promise<readonly SegmentRecord[]>,
): Promise<number> {
  using table = new TableWriter(path, RECORD_COLUMNS);
  for (let from = 0; from < count; from += RECORD_ROWS) {
    const columns = recordColumns(await records(from, Math.min(from + RECORD_ROWS, count)), from);
    table.write(...columns);
  }
  return table.end();
}

function writeTable(
  path: string,
  columns: readonly Column[],
  data: readonly (Int32Array | unknown[])[],
): number {
  using table = new TableWriter(path, columns);
  const rows = data[0].length;
  for (let from = 0; from < rows; from += GROUP_ROWS) {
    table.write(...data.map((column) => column.slice(from, from + GROUP_ROWS)));
  }
  return table.end();
}

/** Reads the files of a segment. */
export class SegmentReader implements Disposable {
  readonly segment: StoreSegment;
  readonly #folder: string;
  readonly #hits: TableReader;

  private constructor(segment: StoreSegment, folder: string, hits: TableReader) {
    this.segment = segment;
    this.#folder = folder;
    this.#hits = hits;
  }

  /** @throws As {@linkcode TableReader.open}. */
  static async open(store: string, segment: StoreSegment): Promise<SegmentReader> {
    const folder = segmentFolder(store, segment.id);
    return new SegmentReader(segment, folder, await TableReader.open(join(folder, "hits.parquet")));
  }

  /** The folder of the files. */
  get folder(): string {
    return this.#folder;
  }

  async records(): Promise<StoredRecords> {
    using table = await TableReader.open(join(this.#folder, "tests.parquet"));
    return await StoredRecords.read(table);
  }

  async sets(): Promise<OriginSet[]> {
    using table = await TableReader.open(join(this.#folder, "origins.parquet"));
    const members = await table.values<string>("members");
    const shared = await table.values<boolean>("threads_shared");
    const known = await table.values<boolean>("known");
    return members.map((text, set) => ({
      origins: text === "" ? [] : text.split(" ").map(Number),
      threadsShared: shared[set],
      known: known[set],
    }));
  }

  /** @param names the columns of the index that are read */
  async index<Name extends keyof PointIndex = keyof PointIndex>(
    names: readonly Name[] = POINT_COLUMNS as readonly (keyof PointIndex)[] as readonly Name[],
  ): Promise<Pick<PointIndex, Name>> {
    using table = await TableReader.open(join(this.#folder, "points.parquet"));
    const columns: Partial<Record<keyof PointIndex, Int32Array>> = {};
    for (const name of names) columns[name] = await table.numbers(name);
    return columns as Pick<PointIndex, Name>;
  }

  /** Rows `from` up to, not including, `to`, without their points where those are known. */
  async rows(from: number, to: number): Promise<Omit<HitBlock, "points">> {
    return {
      tests: await this.#hits.numbers("test", from, to),
      origins: await this.#hits.numbers("origins", from, to),
      counts: this.segment.hasCounts
        ? await this.#hits.counts("count", from, to)
        : new Uint32Array(to - from),
    };
  }

  [Symbol.dispose](): void {
    this.#hits[Symbol.dispose]();
  }
}
