import { type Address, addressFromHalves } from "../../base/address.ts";
import { grown } from "../../base/grow.ts";

/** 2^32 divided by the golden ratio: spreads neighbouring addresses over the table (Knuth, TAOCP 6.4). */
const SPREAD = 0x9e37_79b1;
const FIRST_CAPACITY = 1 << 14;

/**
 * Gives every PC a small number at first sight, so that tests count points in plain arrays. One table serves a run:
 * it grows with the distinct PCs that ran, some tens of thousands.
 */
export class PointTable {
  #size = 0;
  #lows = new Uint32Array(FIRST_CAPACITY);
  #highs = new Uint32Array(FIRST_CAPACITY);
  /** Number plus one, or 0 where free. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2);

  /** How many PCs have a number. */
  get size(): number {
    return this.#size;
  }

  /** The PC of a number. */
  address(point: number): Address {
    return addressFromHalves(this.#lows[point], this.#highs[point]);
  }

  /**
   * Writes the numbers of the PCs in words `from` to `to` to `points`, and returns how many. Words that hold 0 are
   * skipped.
   *
   * @param halves Words as 32-bit halves, low first.
   */
  numbers(halves: Uint32Array, from: number, to: number, points: Uint32Array): number {
    let count = 0;
    for (let at = from * 2; at < to * 2; at += 2) {
      const low = halves[at], high = halves[at + 1];
      if (low === 0 && high === 0) continue;
      points[count++] = this.#number(low, high);
    }
    return count;
  }

  #number(low: number, high: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = startSlot(low, high) & mask;
    for (let entry = slots[slot]; entry !== 0; entry = slots[slot]) {
      if (this.#lows[entry - 1] === low && this.#highs[entry - 1] === high) return entry - 1;
      slot = (slot + 1) & mask;
    }
    const point = this.#size++;
    this.#lows[point] = low;
    this.#highs[point] = high;
    slots[slot] = this.#size;
    if (this.#size === this.#lows.length) this.#grow();
    return point;
  }

  #grow(): void {
    const capacity = this.#lows.length * 2;
    this.#lows = grown(this.#lows, capacity);
    this.#highs = grown(this.#highs, capacity);
    const slots = new Uint32Array(capacity * 2);
    for (let point = 0; point < this.#size; point++) {
      let slot = startSlot(this.#lows[point], this.#highs[point]) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = point + 1;
    }
    this.#slots = slots;
  }
}

function startSlot(low: number, high: number): number {
  const spread = Math.imul(low ^ Math.imul(high, 31), SPREAD);
  return spread ^ (spread >>> 15);
}
