import { type Address, addressFromHalves } from "../base/address.ts";
import { lowerBound } from "../base/search.ts";
import { stretchesOf } from "./first_runs.ts";
import type { OriginPoints } from "./origin.ts";

/** Points and what made the kernel run them. */
export interface CollectedPoints {
  /** Distinct raw PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** By the order of their first runs. */
  readonly origins: readonly OriginPoints[];
}

/** What gathers entries of collectors. */
export interface EntryTally {
  /**
   * Adds the entries in words `from` to `to` of an area.
   *
   * @param halves The area as 32-bit halves: word `i` is entries `2 * i` (low) and `2 * i + 1` (high).
   * @returns The first word that holds nothing yet, or `to`.
   */
  add(halves: Uint32Array, from: number, to: number): number;
}

/** Points with the order of their first runs. */
export interface TakenPoints extends CollectedPoints {
  /** Stretches of code, as `stretchOf` has them, in the order in which points of them first ran. */
  readonly firstRuns: Float64Array<ArrayBuffer>;
}

const FIRST_ENTRIES = 1024;
/** Larger arrays are not kept. */
const KEPT_ENTRIES = 65_536;

/**
 * Gathers entries of collectors, of which some may be the same. Neither a bigint nor an object is made of an entry, and no
 * table: in a guest, memory that is touched for the first time takes longer than all else.
 */
export class OriginTally implements EntryTally {
  /** Of each entry the PC and the origin. */
  #pcs = new Float64Array(FIRST_ENTRIES);
  #origins = new Uint16Array(FIRST_ENTRIES);
  #entries = 0;

  add(halves: Uint32Array, from: number, to: number): number {
    this.#makeRoom(to - from);
    const pcs = this.#pcs, origins = this.#origins;
    let entries = this.#entries;
    let read = to;
    for (let word = from; word < to; word++) {
      const low = halves[word * 2], high = halves[word * 2 + 1];
      if (low === 0 && high === 0) {
        if (read === to) read = word;
        continue;
      }
      pcs[entries] = addressFromHalves(low, high << 16 >> 16);
      origins[entries++] = high >>> 16;
    }
    this.#entries = entries;
    return read;
  }

  /** The distinct points, and which ran from each origin. */
  points(): CollectedPoints {
    const pcs = this.#distinct();
    return { pcs, origins: this.#byOrigin(pcs) };
  }

  /** {@linkcode points} with the order of their first runs, and empties the tally. */
  take(): TakenPoints {
    const firstRuns = stretchesOf(this.#pcs.subarray(0, this.#entries));
    const points = { ...this.points(), firstRuns };
    this.clear();
    return points;
  }

  /** Empties it; large arrays are given back, so that one large test does not keep them for all others. */
  clear(): void {
    this.#entries = 0;
    if (this.#pcs.length <= KEPT_ENTRIES) return;
    this.#pcs = new Float64Array(FIRST_ENTRIES);
    this.#origins = new Uint16Array(FIRST_ENTRIES);
  }

  #distinct(): Float64Array<ArrayBuffer> {
    const sorted = this.#pcs.slice(0, this.#entries).sort();
    const size = leaveOnce(sorted);
    return size === sorted.length ? sorted : sorted.slice(0, size);
  }

  #byOrigin(pcs: Float64Array): OriginPoints[] {
    const places = new Map<number, number>();
    const counts: number[] = [], found: number[] = [];
    const entries = this.#entries, origins = this.#origins;
    for (let entry = 0; entry < entries; entry++) {
      const origin = origins[entry];
      let place = places.get(origin);
      if (place === undefined) {
        place = found.length;
        places.set(origin, place);
        found[place] = origin;
        counts[place] = 0;
      }
      counts[place]++;
    }
    const lists: Uint32Array<ArrayBuffer>[] = [];
    for (let at = 0; at < found.length; at++) lists[at] = new Uint32Array(counts[at]);
    for (let entry = entries - 1; entry >= 0; entry--) {
      const place = places.get(origins[entry])!;
      lists[place][--counts[place]] = lowerBound(pcs, this.#pcs[entry]);
    }
    return found.map((origin, at) => {
      const points = lists[at].sort();
      const size = leaveOnce(points);
      return { origin, points: size === points.length ? points : points.slice(0, size) };
    });
  }

  #makeRoom(more: number): void {
    const needed = this.#entries + more;
    if (needed <= this.#pcs.length) return;
    const size = Math.max(needed, this.#pcs.length * 2);
    const pcs = new Float64Array(size), origins = new Uint16Array(size);
    pcs.set(this.#pcs.subarray(0, this.#entries));
    origins.set(this.#origins.subarray(0, this.#entries));
    this.#pcs = pcs;
    this.#origins = origins;
  }
}

/** Moves each of some ascending numbers to the front once; how many they are. */
export function leaveOnce(sorted: Float64Array | Uint32Array): number {
  let length = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (at === 0 || sorted[at] !== sorted[at - 1]) sorted[length++] = sorted[at];
  }
  return length;
}
