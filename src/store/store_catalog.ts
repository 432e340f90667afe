import { lowerBound, sortedOrder } from "../base/search.ts";
import { type PointIndex, RECORD_KINDS } from "./segments/point_index.ts";
import type { SegmentRecord } from "./segments/record_table.ts";
import type { StoredRecords } from "./segments/stored_records.ts";
import type { OriginSet } from "./origin_dictionary.ts";
import type { StoreManifest, StoreShard } from "./store_manifest.ts";

/** What is read of a segment when a store is opened: all but its hits. */
export interface CatalogSegment {
  readonly id: string;
  readonly records: StoredRecords;
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

/** Records of a store in order, as columns. */
export class CatalogRecords {
  readonly #segments: readonly CatalogSegment[];
  /** By record, its segment, its number there, and the pass over the tests that it is of. */
  readonly segment: Uint32Array;
  readonly number: Uint32Array;
  readonly pass: Uint32Array;

  constructor(
    segments: readonly CatalogSegment[],
    segment: Uint32Array,
    number: Uint32Array,
    pass: Uint32Array,
  ) {
    this.#segments = segments;
    this.segment = segment;
    this.number = number;
    this.pass = pass;
  }

  get length(): number {
    return this.number.length;
  }

  at(index: number): CatalogRecord {
    const segment = this.segment[index], number = this.number[index];
    const stored = this.#segments[segment].records.at(number);
    return { stored, segment, number, pass: this.pass[index] };
  }

  /** The columns of the segment of a record. */
  recordsOf(index: number): StoredRecords {
    return this.#segments[this.segment[index]].records;
  }

  filter(stays: (index: number) => boolean): CatalogRecords {
    const order = Uint32Array.from(this.number.keys()).filter(stays);
    const pick = (column: Uint32Array): Uint32Array => order.map((at) => column[at]);
    const { segment, number, pass } = this;
    return new CatalogRecords(this.#segments, pick(segment), pick(number), pick(pass));
  }

  *[Symbol.iterator](): Generator<CatalogRecord> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }
}

/** All records by the shard that they came with, and within one by their places. */
function inOrder(
  segments: readonly CatalogSegment[],
  shards: readonly StoreShard[],
): CatalogRecords {
  const rank = new Map(shards.map(({ id }, at) => [id, at]));
  const size = segments.reduce((sum, { records }) => sum + records.length, 0);
  const segment = new Uint32Array(size), number = new Uint32Array(size);
  const shard = new Uint32Array(size), place = new Uint32Array(size);
  let end = 0;
  segments.forEach(({ records }, at) => {
    const ranks = records.shardIds.map((id) => rank.get(id) ?? 0);
    for (let record = 0; record < records.length; record++) {
      segment[end] = at;
      number[end] = record;
      shard[end] = ranks[records.shard[record]];
      place[end++] = records.place[record];
    }
  });
  const byPlace = sortedOrder(place);
  const order = sortedOrder(byPlace.map((at) => shard[at])).map((at) => byPlace[at]);
  const pass = new Uint32Array(size);
  let first = 0, next = 0, last = -1;
  order.forEach((at, index) => {
    if (shard[at] !== last) first = next;
    last = shard[at];
    pass[index] = first + segments[segment[at]].records.pass[number[at]];
    next = Math.max(next, pass[index] + 1);
  });
  const pick = (column: Uint32Array): Uint32Array => order.map((at) => column[at]);
  return new CatalogRecords(segments, pick(segment), pick(number), pass);
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
  readonly tests: CatalogRecords;
  /** Baselines, and what ran outside tests. */
  readonly apart: CatalogRecords;
  /** By segment and number, the index into `tests`; -1 for the others. */
  readonly testOf: readonly Int32Array[];

  constructor(manifest: StoreManifest, segments: readonly CatalogSegment[]) {
    this.manifest = manifest;
    this.segments = segments;
    this.shards = manifest.shards.toSorted((a, b) =>
      a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)
    );
    const all = inOrder(segments, this.shards);
    const isTest = (at: number): boolean =>
      segments[all.segment[at]].records.kinds[all.number[at]] === RECORD_KINDS.test;
    this.tests = all.filter(isTest);
    this.apart = all.filter((at) => !isTest(at));
    this.testOf = segments.map(({ records }) => new Int32Array(records.length).fill(-1));
    const { segment, number } = this.tests;
    for (let test = 0; test < number.length; test++) {
      this.testOf[segment[test]][number[test]] = test;
    }
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
