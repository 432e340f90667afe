import type { Comparisons } from "../../kcov/comparisons/comparisons.ts";

/**
 * Comparisons with those pairs alone whose origin counts; one of which no pair does is left out. What is not kept of a
 * comparison is counted with those that are.
 */
export function selectPairs(
  comparisons: Comparisons,
  counts: (origin: number) => boolean,
): Comparisons {
  const { pcs, types, more, pairEnd, first, second, times, origins, lost } = comparisons;
  const known = new Map<number, boolean>();
  for (const origin of new Set(origins)) known.set(origin, counts(origin));
  const pairs: number[] = [], places: number[] = [], ends: number[] = [];
  let pair = 0;
  for (let at = 0; at < pcs.length; at++) {
    const before = pairs.length;
    for (; pair < pairEnd[at]; pair++) if (known.get(origins[pair])) pairs.push(pair);
    if (pairs.length === before) continue;
    places.push(at);
    ends.push(pairs.length);
  }
  return {
    pcs: Float64Array.from(places, (at) => pcs[at]),
    types: Uint8Array.from(places, (at) => types[at]),
    more: Uint32Array.from(places, (at) => more[at]),
    pairEnd: Uint32Array.from(ends),
    first: BigUint64Array.from(pairs, (at) => first[at]),
    second: BigUint64Array.from(pairs, (at) => second[at]),
    times: Uint32Array.from(pairs, (at) => times[at]),
    origins: Uint16Array.from(pairs, (at) => origins[at]),
    lost,
  };
}
