import { type Address, addressFromHalves } from "../base/address.ts";
import { stretchesOf } from "./first_runs.ts";
import type { OriginPoints } from "./origin.ts";
import { clearedSlots, findSlot, FIRST_SLOTS, grownSlots } from "./pc_slots.ts";

/** Points and what made the kernel run them. */
export interface CollectedPoints {
  /** Distinct raw PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** By the order of their first runs. */
  readonly origins: readonly OriginPoints[];
}

/** Points with the order of their first runs. */
export interface TakenPoints extends CollectedPoints {
  /** Stretches of code, as `stretchOf` has them, in the order in which points of them first ran. */
  readonly firstRuns: Float64Array<ArrayBuffer>;
}

const FIRST_ENTRIES = 1024;
/** The PC's part of an entry's high half; above it is the origin. */
const HIGH_PC = 0xffff;

/**
 * Gathers entries of collectors. Each distinct PC gets a number, which a table of slots has plus 1. Neither a bigint nor an
 * object is made of an entry.
 */
export class OriginTally {
  #slots = new Uint32Array(FIRST_SLOTS * 4);
  /** The PCs by their numbers. */
  #pcs = new Float64Array(FIRST_ENTRIES);
  #distinct = 0;
  /** Of each entry the PC's number and the origin. */
  #numbers = new Uint32Array(FIRST_ENTRIES);
  #origins = new Uint32Array(FIRST_ENTRIES);
  #entries = 0;

  /**
   * Adds the entries in words `from` to `to` of an area.
   *
   * @param halves The area as 32-bit halves: word `i` is entries `2 * i` (low) and `2 * i + 1` (high).
   * @returns The first word that holds nothing yet, or `to`.
   */
  add(halves: Uint32Array, from: number, to: number): number {
    this.#makeRoom(to - from);
    const numbers = this.#numbers, origins = this.#origins;
    let slots = this.#slots;
    let entries = this.#entries;
    let read = to;
    for (let word = from; word < to; word++) {
      const low = halves[word * 2], high = halves[word * 2 + 1];
      if (low === 0 && high === 0) {
        if (read === to) read = word;
        continue;
      }
      const highPc = high & HIGH_PC;
      const slot = findSlot(slots, low, highPc);
      let number = slots[slot + 2] - 1;
      if (number < 0) {
        number = this.#distinct++;
        slots[slot] = low;
        slots[slot + 1] = highPc;
        slots[slot + 2] = number + 1;
        this.#pcs[number] = addressFromHalves(low, highPc << 16 >> 16);
        if (this.#distinct * 8 > slots.length) slots = this.#slots = grownSlots(slots);
      }
      numbers[entries] = number;
      origins[entries++] = high >>> 16;
    }
    this.#entries = entries;
    return read;
  }

  /** How many entries there are, of which some may be the same. */
  get entries(): number {
    return this.#entries;
  }

  /** The distinct points, and which ran from each origin. */
  points(): CollectedPoints {
    const pcs = this.#pcs.slice(0, this.#distinct).sort();
    const ranks = new Uint32Array(pcs.length);
    for (let rank = 0; rank < pcs.length; rank++) {
      const pc = pcs[rank];
      // ToUint32 takes a number modulo 2^32, which is the low half of a signed 64-bit address as well.
      const slot = findSlot(this.#slots, pc >>> 0, Math.floor(pc / 0x1_0000_0000) & HIGH_PC);
      ranks[this.#slots[slot + 2] - 1] = rank;
    }
    return { pcs, origins: this.#byOrigin(ranks) };
  }

  /** The distinct PCs alone, ascending, of a tally that is emptied with it. */
  takePcs(): CollectedPoints["pcs"] {
    const pcs = this.#pcs.slice(0, this.#distinct).sort();
    this.clear();
    return pcs;
  }

  /** {@linkcode points} with the order of their first runs, and empties the tally. */
  take(): TakenPoints {
    // PCs have their numbers in that order.
    const firstRuns = stretchesOf(this.#pcs.subarray(0, this.#distinct));
    const points = { ...this.points(), firstRuns };
    this.clear();
    return points;
  }

  /** Empties it. */
  clear(): void {
    this.#entries = 0;
    if (this.#distinct === 0) return;
    this.#distinct = 0;
    this.#slots = clearedSlots(this.#slots);
  }

  #byOrigin(ranks: Uint32Array): OriginPoints[] {
    const places = new Map<number, number>();
    const counts: number[] = [], found: number[] = [];
    const entries = this.#entries, origins = this.#origins, numbers = this.#numbers;
    const placeOf = new Uint32Array(entries);
    let last = -1, place = 0;
    for (let entry = 0; entry < entries; entry++) {
      const origin = origins[entry];
      if (origin !== last) {
        last = origin;
        const known = places.get(origin);
        if (known === undefined) {
          place = found.length;
          places.set(origin, place);
          found[place] = origin;
          counts[place] = 0;
        } else place = known;
      }
      placeOf[entry] = place;
      counts[place]++;
    }
    const lists: Uint32Array<ArrayBuffer>[] = [];
    for (let at = 0; at < found.length; at++) lists[at] = new Uint32Array(counts[at]);
    for (let entry = entries - 1; entry >= 0; entry--) {
      place = placeOf[entry];
      lists[place][--counts[place]] = ranks[numbers[entry]];
    }
    return found.map((origin, at) => ({ origin, points: ascendingOnce(lists[at]) }));
  }

  #makeRoom(more: number): void {
    const needed = this.#entries + more;
    if (needed > this.#numbers.length) {
      const size = Math.max(needed, this.#numbers.length * 2);
      this.#numbers = resized(this.#numbers, size, this.#entries);
      this.#origins = resized(this.#origins, size, this.#entries);
    }
    if (this.#distinct + more > this.#pcs.length) {
      const pcs = new Float64Array(Math.max(this.#distinct + more, this.#pcs.length * 2));
      pcs.set(this.#pcs.subarray(0, this.#distinct));
      this.#pcs = pcs;
    }
  }
}

function resized(old: Uint32Array, size: number, kept: number): Uint32Array<ArrayBuffer> {
  const array = new Uint32Array(size);
  array.set(old.subarray(0, kept));
  return array;
}

/** Sorts it, and leaves out what is there before. */
function ascendingOnce(points: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  points.sort();
  let length = 0;
  for (let at = 0; at < points.length; at++) {
    if (at === 0 || points[at] !== points[at - 1]) points[length++] = points[at];
  }
  return length === points.length ? points : points.slice(0, length);
}
