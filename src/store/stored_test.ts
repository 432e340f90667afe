import type { OriginHits } from "../coverage/origin_hits.ts";
import { countLeftOut, COUNTS, type LeftOut } from "../coverage/origin_selection.ts";
import {
  ALL_RESOLVED,
  type PointHits,
  type UnresolvedCounts,
  type UnresolvedReason,
} from "../coverage/point_hits.ts";
import type { RowMeaning } from "./origin_dictionary.ts";
import type { StoredRecord } from "./record_rows.ts";

/** Rows of one record, ascending by point, with the points' numbers in the universe. */
export interface RecordRows {
  readonly points: Uint32Array;
  readonly origins: Uint32Array;
  readonly counts: Uint32Array;
}

/** What rows of a record say. */
export interface StoredPoints {
  readonly points: PointHits;
  readonly origins?: readonly OriginHits[] | undefined;
  readonly leftOut?: LeftOut | undefined;
  /** Points that no origin that counts ran, and the classes of those that did. */
  readonly left: { readonly points: Uint32Array; readonly classes: Uint8Array };
}

/** Makes of the rows of a record what it hit. */
export function storedPoints(
  stored: StoredRecord,
  rows: RecordRows,
  meaning: RowMeaning,
): StoredPoints {
  const { bits } = meaning;
  const count = rows.points.length;
  const points = new Uint32Array(count), hits = new Uint32Array(count);
  const leftPoints = new Uint32Array(count), leftClasses = new Uint8Array(count);
  let found = 0, left = 0;
  for (let from = 0, to: number; from < count; from = to) {
    const point = rows.points[from];
    let any = 0, sum = 0;
    for (to = from; to < count && rows.points[to] === point; to++) {
      const own = bits[rows.origins[to]];
      any |= own;
      if (own >= COUNTS) sum += rows.counts[to];
    }
    if (any >= COUNTS) {
      points[found] = point;
      hits[found++] = Math.min(sum, 0xffff_ffff);
    } else {
      leftPoints[left] = point;
      leftClasses[left++] = any;
    }
  }
  const classes = leftClasses.slice(0, left);
  return {
    points: {
      points: points.slice(0, found),
      hits: stored.hasCounts ? hits.slice(0, found) : null,
      unresolved: unresolvedOf(stored, bits),
    },
    origins: originsOf(stored, rows, meaning),
    leftOut: stored.known ? countLeftOut(classes) : undefined,
    left: { points: leftPoints.slice(0, left), classes },
  };
}

/** PCs of a record that name no point, of origins that count. */
export function unresolvedOf({ unresolved }: StoredRecord, bits: Uint8Array): UnresolvedCounts {
  const sum: Record<UnresolvedReason, number> = { ...ALL_RESOLVED };
  for (const { origins, counts } of unresolved) {
    if (bits[origins] < COUNTS) continue;
    for (const reason of Object.keys(sum) as UnresolvedReason[]) sum[reason] += counts[reason];
  }
  return sum;
}

function originsOf(
  { originOrder }: StoredRecord,
  rows: RecordRows,
  { counting }: RowMeaning,
): OriginHits[] | undefined {
  if (originOrder === undefined) return undefined;
  const found = new Map<number, number[]>(originOrder.map((origin) => [origin, []]));
  for (let row = 0; row < rows.points.length; row++) {
    for (const origin of counting[rows.origins[row]]) found.get(origin)?.push(rows.points[row]);
  }
  return [...found].filter(([, points]) => points.length > 0)
    .map(([origin, points]) => ({ origin, points: Uint32Array.from(points) }));
}
