import { lowerBound } from "../base/search.ts";
import { type PointIndex, RECORD_KINDS } from "./segments/point_index.ts";
import type { SegmentRecord } from "./segments/record_table.ts";
import type { OriginSet } from "./origin_dictionary.ts";
import type { StoreManifest, StoreShard } from "./store_manifest.ts";

/** What is read of a segment when a store is opened: all but its hits. */
export interface CatalogSegment {
  readonly id: string;
  readonly records: readonly SegmentRecord[];
  readonly sets: readonly OriginSet[];
  readonly index: PointIndex;
}

/** A record of a store, and where it is. */
export interface CatalogRecord {
  readonly stored: SegmentRecord;
  readonly segment: number;
  /** Its number in the segment. */
  readonly number: number;
  /** The pass over the tests that it is of. */
  readonly pass: number;
}

/**
 * The records of a store in an order that does not depend on when they were added: by the time at which the runs of the
 * shards began.
 */
export class StoreCatalog {
  readonly manifest: StoreManifest;
  readonly segments: readonly CatalogSegment[];
  /** In the order in which their runs began. */
  readonly shards: readonly StoreShard[];
  /** Tests and commands. */
  readonly tests: readonly CatalogRecord[];
  /** Baselines, and what ran outside tests. */
  readonly apart: readonly CatalogRecord[];
  /** By segment and number, the index into `tests`; -1 for the others. */
  readonly testOf: readonly Int32Array[];

  constructor(manifest: StoreManifest, segments: readonly CatalogSegment[]) {
    this.manifest = manifest;
    this.segments = segments;
    this.shards = manifest.shards.toSorted((a, b) =>
      a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)
    );
    const rank = new Map(this.shards.map(({ id }, at) => [id, at]));
    const all = segments.flatMap(({ records }, segment) =>
      records.map((stored, number) => ({
        stored,
        segment,
        number,
        pass: 0,
        at: rank.get(stored.shard) ?? 0,
      }))
    ).sort((a, b) => a.at - b.at || a.stored.place - b.stored.place);
    let first = 0, last = -1, shard = -1;
    for (const record of all) {
      if (record.at !== shard) {
        first = last + 1;
        shard = record.at;
      }
      record.pass = first + (record.stored.record.pass ?? 0);
      last = Math.max(last, record.pass);
    }
    const isTest = ({ stored: { record: { kind } } }: CatalogRecord): boolean =>
      kind !== "baseline" && kind !== "outside";
    this.tests = all.filter(isTest);
    this.apart = all.filter((record) => !isTest(record));
    this.testOf = segments.map(({ records }) => new Int32Array(records.length).fill(-1));
    this.tests.forEach(({ segment, number }, test) => this.testOf[segment][number] = test);
  }

  /** The rows of a point in a segment: the first, and how many; none: 0 and 0. */
  rowsOf(segment: number, point: number): { readonly row: number; readonly rows: number } {
    const { point: points, row, rows } = this.segments[segment].index;
    const at = lowerBound(points, point);
    return points[at] === point ? { row: row[at], rows: rows[at] } : { row: 0, rows: 0 };
  }
}

/** Whether the baseline hit a point, or it was hit outside tests, as an index has it. */
export function isApart(apart: number, kind: "baseline" | "outside"): boolean {
  return (apart & RECORD_KINDS[kind]) !== 0;
}
