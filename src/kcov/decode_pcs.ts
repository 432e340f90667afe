import { type Address, addressFromHalves } from "../base/address.ts";
import type { OriginPoints } from "./origin.ts";
import { clearedSlots, findSlot, FIRST_SLOTS, grownSlots } from "./pc_slots.ts";

/** Distinct PCs and how often each was recorded, in parallel columns. */
export interface DecodedPcs {
  /** Distinct raw PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** Times that each PC was recorded. */
  readonly hits: Uint32Array<ArrayBuffer>;
  /** What made the kernel run them, in the order of first runs; absent where that is not known. */
  readonly origins?: readonly OriginPoints[];
}

/** Counts PCs in a table of slots. */
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
      slots = this.#slots = grownSlots(slots);
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

  /** Empties the table. */
  clear(): void {
    if (this.#size === 0) return;
    this.#size = 0;
    this.#slots = clearedSlots(this.#slots);
  }
}

/** Kept: a new table costs page faults, which take longer than decoding a small trace. */
const counts = new PcCounts();

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
