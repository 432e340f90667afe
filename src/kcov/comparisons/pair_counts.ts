import { KCOV_CMP } from "../abi.ts";

// A slot is eight entries: low and high half of the PC, the tag, the halves of the constant, how many pairs of unequal and
// of equal operands are kept, and how often others were compared. A slot whose tag is 0 is free: each is stored with one
// added, and none has all bits.
const SLOT = 8;
const FIRST_SLOTS = 2048;
const SPREAD = 0x9e37_79b1 | 0;

/** How many pairs are kept of each comparison from each origin, and how often others were compared. */
export class PairCounts {
  #slots = new Uint32Array(FIRST_SLOTS * SLOT);
  #size = 0;
  #totalMore = 0;

  /** How often pairs were compared that are not kept. */
  get totalMore(): number {
    return this.#totalMore;
  }

  /** Whether any was. */
  get anyMore(): boolean {
    return this.#totalMore > 0;
  }

  /**
   * The slot of a comparison, until the next new one; made where there is none.
   *
   * @param first Low half of the first operand, which tells constants apart.
   */
  of(low: number, high: number, tag: number, first: number, firstHigh: number): number {
    const isConstant = (tag & KCOV_CMP.constant) !== 0;
    const constant = isConstant ? first : 0, constantHigh = isConstant ? firstHigh : 0;
    let slot = find(this.#slots, low, high, tag, constant, constantHigh);
    if (this.#slots[slot + 2] !== 0) return slot;
    if (++this.#size > this.#slots.length / SLOT / 2) {
      this.#grow();
      slot = find(this.#slots, low, high, tag, constant, constantHigh);
    }
    const slots = this.#slots;
    slots[slot] = low;
    slots[slot + 1] = high;
    slots[slot + 2] = tag + 1;
    slots[slot + 3] = constant;
    slots[slot + 4] = constantHigh;
    return slot;
  }

  /** Whether one more pair is to be kept: then it is counted. */
  take(slot: number, isEqual: boolean): boolean {
    const at = slot + (isEqual ? 6 : 5);
    return this.#slots[at] < KCOV_CMP.pairs && ++this.#slots[at] > 0;
  }

  addMore(slot: number, times: number): void {
    this.#slots[slot + 7] = Math.min(this.#slots[slot + 7] + times, 0xffff_ffff);
    this.#totalMore += times;
  }

  moreOf(slot: number): number {
    return this.#slots[slot + 7];
  }

  clear(): void {
    if (this.#slots.length > FIRST_SLOTS * SLOT) this.#slots = new Uint32Array(FIRST_SLOTS * SLOT);
    else if (this.#size > 0) this.#slots.fill(0);
    this.#size = 0;
    this.#totalMore = 0;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let from = 0; from < old.length; from += SLOT) {
      if (old[from + 2] === 0) continue;
      const entry = old.subarray(from, from + SLOT);
      const slot = find(this.#slots, entry[0], entry[1], entry[2] - 1, entry[3], entry[4]);
      this.#slots.set(entry, slot);
    }
  }
}

function find(
  slots: Uint32Array,
  low: number,
  high: number,
  tag: number,
  constant: number,
  constantHigh: number,
): number {
  const mask = slots.length - SLOT;
  const key = Math.imul(low ^ tag, SPREAD) ^ Math.imul(constant ^ constantHigh, 0x85eb_ca6b | 0);
  let slot = (key ^ (key >>> 15)) << 3 & mask;
  while (
    slots[slot + 2] !== 0 &&
    (slots[slot] !== low || slots[slot + 2] !== tag + 1 || slots[slot + 3] !== constant ||
      slots[slot + 4] !== constantHigh || slots[slot + 1] !== high)
  ) {
    slot = (slot + SLOT) & mask;
  }
  return slot;
}
