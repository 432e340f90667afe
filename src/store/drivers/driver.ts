import type { HitBlock } from "../segments/hit_block.ts";
import type { StoreCatalog } from "../store_catalog.ts";

/** Rows of one segment, ascending by point and then by record. */
export interface SegmentRows extends HitBlock {
  readonly segment: number;
}

/** What reads the hits of a store. Points have the store's numbers, records those of their segments. */
export interface StoreDriver {
  readonly name: string;
  readonly catalog: StoreCatalog;
  /** All rows of some points, ascending. */
  rowsOfPoints(points: Uint32Array): Promise<readonly SegmentRows[]>;
  /** All rows of some records of a segment, ascending by point. */
  rowsOfRecords(segment: number, records: readonly number[]): Promise<SegmentRows>;
  /** Every row, in blocks. */
  allRows(): AsyncIterable<SegmentRows>;
  /**
   * By segment and record, on how many of some points it has a row of sets of origins that count.
   *
   * @param counts by segment and set of origins, 1 where it counts
   */
  overlaps(points: Uint32Array, counts: readonly Uint8Array[]): Promise<readonly Uint32Array[]>;
  close(): Promise<void>;
}
