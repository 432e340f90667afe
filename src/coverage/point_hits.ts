import type { Address } from "../base/address.ts";
import { indexOfSorted, lowerBound } from "../base/search.ts";
import type { CoverageImage } from "./coverage_image.ts";

/** Why a raw PC names no coverage point of an image. */
export type UnresolvedReason =
  | "outside-image"
  | "module-image"
  | "not-a-point"
  | "tail-call"
  | "start-up";

/** What each {@linkcode UnresolvedReason} means, for people. */
export const UNRESOLVED_TEXT: Readonly<Record<UnresolvedReason, string>> = {
  "outside-image":
    "outside the images' coverage points (start-up code of a module, one that nobody saw loaded or whose place another took within the test, or another build)",
  "module-image": "in a module without an image",
  "not-a-point": "no coverage call returns there (a tail call reports its caller)",
  "tail-call": "tail call, whose block cannot be known",
  "start-up": "start-up code, which is not counted (.init.text and the like)",
};

/** No unresolved PC. */
export const ALL_RESOLVED: UnresolvedCounts = {
  "outside-image": 0,
  "module-image": 0,
  "not-a-point": 0,
  "tail-call": 0,
  "start-up": 0,
};

/** Number of distinct raw PCs that could not be resolved, by reason. */
export type UnresolvedCounts = Readonly<Record<UnresolvedReason, number>>;

/** The coverage points of an image that one test hit. */
export interface PointHits {
  /** Distinct point ids, ascending. */
  readonly points: Uint32Array;
  /** How often each was hit, or `null` where the kernel stored each PC once. */
  readonly hits: Uint32Array | null;
  /** Raw PCs that are in neither column. */
  readonly unresolved: UnresolvedCounts;
}

/** Points of which only it is known that they were hit. */
export function pointsOnly(points: Uint32Array): PointHits {
  return { points, hits: null, unresolved: ALL_RESOLVED };
}

/** Raw PCs of one test, as a record holds them. */
export interface RawHits {
  /** Distinct raw PCs, ascending. */
  readonly pcs: ArrayLike<Address>;
  /** Hits of each, or `null` where unknown. */
  readonly hits: ArrayLike<number> | null;
}

/** Where points are gathered before their number is known: kept, since each test would leave garbage of its size. */
let scratch = new Uint32Array(16_384);

/**
 * The points that raw PCs name. A raw PC is a return address, so the call lies `callLength` bytes before it.
 */
export function resolvePoints(index: CoverageImage, raw: RawHits): PointHits {
  const { base, pointOffset, pointUnknown, allPointOffsets, callLength } = index;
  const { pcs, hits } = raw;
  const end = pointOffset.length;
  const last = end === 0 ? -1 : pointOffset[end - 1];
  if (scratch.length < pcs.length) scratch = new Uint32Array(2 * pcs.length);
  const points = scratch;
  const counts = hits === null ? null : new Uint32Array(pcs.length);
  const shift = base + callLength;
  let found = 0, outside = 0, notAPoint = 0, tailCall = 0, startUp = 0;
  let low = 0;
  for (let i = 0; i < pcs.length; i++) {
    const distance = pcs[i] - shift;
    if (distance < 0 || distance > last) {
      if (indexOfSorted(allPointOffsets, distance) >= 0) startUp++;
      else outside++;
      continue;
    }
    // A small integer from here on, which engines compare faster: an image's text is below 2 GiB.
    const offset = distance | 0;
    // PCs ascend and most are near the one before, so each search goes on from there in growing steps.
    let high = low;
    for (let step = 1; high < end && pointOffset[high] < offset; step *= 2) {
      low = high + 1;
      high += step;
    }
    if (high > end) high = end;
    low = lowerBound(pointOffset, offset, low, high);
    if (pointOffset[low] !== offset) {
      if (indexOfSorted(allPointOffsets, offset) >= 0) startUp++;
      else notAPoint++;
    } else if (pointUnknown[low] === 1) tailCall++;
    else {
      points[found] = low;
      if (counts !== null) counts[found] = hits![i];
      found++;
    }
  }
  return {
    points: points.slice(0, found),
    hits: counts === null ? null : counts.slice(0, found),
    unresolved: {
      "outside-image": outside,
      "module-image": 0,
      "not-a-point": notAPoint,
      "tail-call": tailCall,
      "start-up": startUp,
    },
  };
}

/** Sum of all reasons. */
export function unresolvedTotal(counts: UnresolvedCounts): number {
  return counts["outside-image"] + counts["module-image"] + counts["not-a-point"] +
    counts["tail-call"] + counts["start-up"];
}
