import type { Address } from "../base/address.ts";
import { lowerBound } from "../base/search.ts";
import type { PointHits } from "./point_hits.ts";

/** A module that was loaded during a run: where its points are in the universe, or why they are not there. */
export interface CoveredModule {
  readonly name: string;
  /** Lower-case hexadecimal; empty where unknown. */
  readonly buildId: string;
  /** Its points are `firstPoint` to `firstPoint + points` of the universe's image; none where it has no image. */
  readonly firstPoint: number;
  readonly points: number;
  /** Why its points are not in the universe; absent where they are. */
  readonly missing?: string;
  /** Where the records' PCs have its code, where it has no image: starts and ends. */
  readonly addresses: readonly { readonly start: Address; readonly end: Address }[];
}

/** What a run's tests covered of a module. */
export interface ModuleCoverage {
  readonly name: string;
  readonly buildId: string;
  /** Points in the universe, and those of them that any test hit. */
  readonly points: number;
  readonly hit: number;
  /** Why its points are not in the universe; absent where they are. */
  readonly missing?: string;
  /** PCs that were recorded in it and could not be resolved for want of an image, each counted once per test. */
  readonly lost: number;
}

/** What was covered of the modules of a run, in the order of their names. */
export function moduleCoverage(
  modules: readonly CoveredModule[],
  pointTests: Uint32Array,
  lost: readonly number[],
): ModuleCoverage[] {
  return modules.map(({ name, buildId, firstPoint, points, missing }, i) => {
    let hit = 0;
    for (let point = firstPoint; point < firstPoint + points; point++) {
      if (pointTests[point] !== 0) hit++;
    }
    const why = missing === undefined ? {} : { missing };
    return { name, buildId, points, hit, lost: lost[i], ...why };
  }).sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/**
 * Tells PCs in modules without an image from others outside all images.
 *
 * @param pcs Ascending.
 * @param lost By module, to which what is found is added.
 */
export function withLostModules(
  hits: PointHits,
  pcs: ArrayLike<Address>,
  modules: readonly CoveredModule[],
  lost: number[],
): PointHits {
  if (hits.unresolved["outside-image"] === 0) return hits;
  let total = 0;
  modules.forEach(({ addresses }, i) => {
    for (const { start, end } of addresses) {
      const count = lowerBound(pcs, end) - lowerBound(pcs, start);
      lost[i] += count;
      total += count;
    }
  });
  if (total === 0) return hits;
  const { unresolved } = hits;
  return {
    ...hits,
    unresolved: {
      ...unresolved,
      "outside-image": unresolved["outside-image"] - total,
      "module-image": total,
    },
  };
}
