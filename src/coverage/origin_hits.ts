import type { Address } from "../base/address.ts";
import type { OriginPoints } from "../kcov/origin.ts";
import type { CoverageImage } from "./coverage_image.ts";

/** The coverage points of an image that a test ran from one origin. A point may have several. */
export interface OriginHits {
  /** 16 bits; see `KCOV_HOW` and `KCOV_CALL`. */
  readonly origin: number;
  /** Distinct point ids, ascending. */
  readonly points: Uint32Array;
}

/**
 * Origins of a record whose PCs named `points`, in the order of first runs. PCs that name no point are in none, and an
 * origin that only has such is left out.
 *
 * @param pcs Ascending, those of the record.
 * @param points Ascending, what {@linkcode resolvePoints} made of them.
 */
export function originHits(
  { base, callLength, pointOffset }: CoverageImage,
  pcs: ArrayLike<Address>,
  points: Uint32Array,
  origins: readonly OriginPoints[],
): OriginHits[] {
  // Both ascend, so one walk finds the point of each PC.
  const pointOf = new Int32Array(pcs.length).fill(-1);
  const shift = base + callLength;
  for (let i = 0, at = 0; i < pcs.length && at < points.length; i++) {
    if (pcs[i] - shift === pointOffset[points[at]]) pointOf[i] = points[at++];
  }
  return withPoints(origins.map(({ origin, points: indexes }) => {
    const found = new Uint32Array(indexes.length);
    let count = 0;
    for (const index of indexes) if (pointOf[index] >= 0) found[count++] = pointOf[index];
    return { origin, points: found.slice(0, count) };
  }));
}

/** What is left of origins where only `points`, ascending, count. */
export function originsWithin(origins: readonly OriginHits[], points: Uint32Array): OriginHits[] {
  const counts = new Set(points);
  return withPoints(origins.map(({ origin, points: own }) => ({
    origin,
    points: own.filter((point) => counts.has(point)),
  })));
}

function withPoints(origins: readonly OriginHits[]): OriginHits[] {
  return origins.filter(({ points }) => points.length > 0);
}
