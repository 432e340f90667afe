import { type Address, addressFromHalves } from "../base/address.ts";
import type { Comparisons } from "./comparisons/comparisons.ts";
import type { OriginPoints } from "./origin.ts";

/** Distinct PCs and how often each was recorded, in parallel columns. */
export interface DecodedPcs {
  /** Distinct raw PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** Times that each PC was recorded. */
  readonly hits: Uint32Array<ArrayBuffer>;
  /** What made the kernel run them, in the order of first runs; absent where that is not known. */
  readonly origins?: readonly OriginPoints[];
  /** What was compared, where that was recorded instead of points. */
  readonly comparisons?: Comparisons;
}

const FIRST_SLOTS = 4096;
/** Larger tables are not kept. */
const KEPT_SLOTS = 65_536;
/** 2^32 divided by the golden ratio: spreads neighbouring keys over a table (Knuth, TAOCP 6.4). */
const SPREAD = 0x9e3779b1;

/**
 * Counts PCs in an open-addressing table. A slot is four entries, low half, high half, count and padding, so that a
 * probe touches one cache line; a slot whose count is 0 is free.
 */
class PcCounts {
  #slots = new Uint32Array(FIRST_SLOTS * 4);
  #size = 0;

  /** Counts the PCs in words `from` to `to`; a word is two entries of `halves`, low first (little-endian). */
  add(halves: Uint32Array, from: number, to: number): void {
    let slots = this.#slots;
    let room = (slots.length >>> 3) - this.#size;
    const end = to * 2;
    for (let at = from * 2; at < end; at += 2) {
      const low = halves[at], high = halves[at + 1];
      const slot = findSlot(slots, low, high);
      if (slots[slot + 2]++ !== 0) continue;
      slots[slot] = low;
      slots[slot + 1] = high;
      this.#size++;
      if (--room > 0) continue;
      slots = this.#grow();
      room = (slots.length >>> 3) - this.#size;
    }
  }

  /** The distinct PCs in ascending order with their counts. */
  sorted(): DecodedPcs {
    const slots = this.#slots;
    const pcs = new Float64Array(this.#size);
    let size = 0;
    for (let slot = 0; slot < slots.length; slot += 4) {
      if (slots[slot + 2] !== 0) pcs[size++] = addressFromHalves(slots[slot], slots[slot + 1]);
    }
    pcs.sort();
    const hits = new Uint32Array(size);
    for (let index = 0; index < size; index++) {
      const pc = pcs[index];
      // ToUint32 takes a number modulo 2^32, which is the low half of a signed 64-bit address as well.
      const slot = findSlot(slots, pc >>> 0, Math.floor(pc / 0x1_0000_0000) >>> 0);
      hits[index] = slots[slot + 2];
    }
    return { pcs, hits };
  }

  /** Empties the table; a large one is given back, so that a long trace does not make the next ones slow. */
  clear(): void {
    if (this.#size === 0) return;
    this.#size = 0;
    if (this.#slots.length <= KEPT_SLOTS * 4) this.#slots.fill(0);
    else this.#slots = new Uint32Array(FIRST_SLOTS * 4);
  }

  #grow(): Uint32Array<ArrayBuffer> {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 4);
    for (let from = 0; from < old.length; from += 4) {
      if (old[from + 2] === 0) continue;
      const slot = findSlot(slots, old[from], old[from + 1]);
      slots[slot] = old[from];
      slots[slot + 1] = old[from + 1];
      slots[slot + 2] = old[from + 2];
    }
    this.#slots = slots;
    return slots;
  }
}

/** Kept: a new table costs page faults, which take longer than decoding a small trace. */
const counts = new PcCounts();

/** Index of the slot that holds the PC, or of the free one where it belongs. */
function findSlot(slots: Uint32Array, low: number, high: number): number {
  const mask = slots.length - 4;
  const spread = Math.imul(low ^ Math.imul(high, 31), SPREAD);
  let slot = (spread ^ (spread >>> 15)) << 2 & mask;
  while (slots[slot + 2] !== 0 && (slots[slot] !== low || slots[slot + 1] !== high)) {
    slot = (slot + 4) & mask;
  }
  return slot;
}

/**
 * The distinct PCs in words `from` (inclusive) to `to` (exclusive) of a KCOV buffer, with their counts. Reads 32-bit
 * halves: no bigint is made, and the time is that of one pass and of sorting the distinct PCs.
 *
 * @param halves The buffer as 32-bit halves, so word `i` is entries `2 * i` (low) and `2 * i + 1` (high).
 */
export function decodePcs(halves: Uint32Array, from: number, to: number): DecodedPcs {
  counts.add(halves, from, to);
  const decoded = counts.sorted();
  counts.clear();
  return decoded;
}
