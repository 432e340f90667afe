import { addressFromHalves } from "../base/address.ts";
import { upperBound } from "../base/search.ts";
import type { CallEntries } from "./call_entries.ts";
import type { DecodedPcs } from "./decode_pcs.ts";
import { KCOV_CALL, type OriginPoints } from "./origin.ts";

const FIRST_SLOTS = 4096;
/** Larger tables are not kept. */
const KEPT_SLOTS = 65_536;
const SPREAD = 0x9e3779b1;
const SPREAD_OF_ORIGINS = 0x85eb_ca6b | 0;
/** Bytes of code for which a bit tells whether an entry lies there. */
const BLOCK_SHIFT = 8;
const BLOCK_BITS = 17;
/** Bits of a slot's number beside its PC in a key to sort by. */
const SLOT_RANGE = 2 ** 21;

/**
 * Decodes traces of one thread by the calls in which its points ran. A slot of its table is four entries: low and high
 * half of a PC, its count, and which origin it ran from; a slot whose count is 0 is free.
 */
export class CallSplitter {
  readonly #entries: CallEntries;
  /** A bit for each block of code, modulo their number: most PCs are in a block without an entry. */
  readonly #hasEntry = new Uint32Array(1 << BLOCK_BITS - 5);
  #slots = new Uint32Array(FIRST_SLOTS * 4);
  /** The slots that are used: a small trace costs no look at the others. */
  #used = new Uint32Array(FIRST_SLOTS / 2);
  #size = 0;
  /** Index of the origins of this trace. */
  readonly #indexes = new Map<number, number>();
  /** Origins in the order in which they were entered. */
  readonly #origins: number[] = [];
  /** When a point first ran from each; 0 where none did. */
  readonly #firstRun: number[] = [];

  constructor(entries: CallEntries) {
    this.#entries = entries;
    const { start, end } = entries;
    for (let at = 0; at < start.length; at++) {
      // A return address may be the end's.
      for (let pc = start[at]; pc <= end[at] + (1 << BLOCK_SHIFT); pc += 1 << BLOCK_SHIFT) {
        const block = blockOf(pc >>> 0);
        this.#hasEntry[block >>> 5] |= 1 << (block & 31);
      }
    }
  }

  /**
   * The distinct PCs in words `from` (inclusive) to `to` (exclusive) of a KCOV buffer, with their counts and origins.
   * What ran before the first entry has the origin of no call.
   *
   * @param halves The buffer as 32-bit halves, so word `i` is entries `2 * i` (low) and `2 * i + 1` (high).
   */
  decode(halves: Uint32Array, from: number, to: number): DecodedPcs {
    this.#add(halves, from, to);
    const decoded = this.#sorted();
    this.#clear();
    return decoded;
  }

  #add(halves: Uint32Array, from: number, to: number): void {
    let slots = this.#slots;
    let room = (slots.length >>> 3) - this.#size;
    let current = this.#indexOf(KCOV_CALL.none);
    const end = to * 2;
    for (let at = from * 2; at < end; at += 2) {
      const low = halves[at], high = halves[at + 1];
      let slot = findSlot(slots, low, high, current);
      if (slots[slot + 2]++ !== 0) continue;
      // Each PC comes here once for each origin; one that is an entry, whenever it begins another.
      const entered = this.#enteredAt(low, high, current);
      if (entered !== current) {
        slots[slot + 2] = 0;
        current = entered;
        slot = findSlot(slots, low, high, current);
        if (slots[slot + 2]++ !== 0) continue;
      }
      slots[slot] = low;
      slots[slot + 1] = high;
      slots[slot + 3] = current;
      this.#used[this.#size++] = slot;
      if (this.#firstRun[current] === 0) this.#firstRun[current] = this.#size;
      if (--room > 0) continue;
      slots = this.#grow();
      room = (slots.length >>> 3) - this.#size;
    }
  }

  /** Index of the origin that a PC enters; that of the current one where it enters none. */
  #enteredAt(low: number, high: number, current: number): number {
    const block = blockOf(low);
    if ((this.#hasEntry[block >>> 5] >>> (block & 31) & 1) === 0) return current;
    const { start, end, origin } = this.#entries;
    // A return address: the call is before it.
    const pc = addressFromHalves(low, high) - 1;
    const at = upperBound(start, pc) - 1;
    return at < 0 || pc >= end[at] ? current : this.#indexOf(origin[at]);
  }

  #indexOf(origin: number): number {
    let index = this.#indexes.get(origin);
    if (index === undefined) {
      index = this.#origins.push(origin) - 1;
      this.#indexes.set(origin, index);
      this.#firstRun.push(0);
    }
    return index;
  }

  /** What ran, by ascending PCs; of each origin too. */
  #sorted(): DecodedPcs {
    const slots = this.#slots;
    const order = this.#slotsByPc();
    const counts = new Uint32Array(this.#origins.length);
    for (let i = 0; i < order.length; i++) counts[slots[order[i] + 3]]++;
    const found = Array.from(counts, (count, index) => ({
      origin: this.#origins[index],
      points: new Uint32Array(count),
      hits: new Uint32Array(count),
    }));
    const next = new Uint32Array(counts.length);
    const pcs = new Float64Array(order.length), hits = new Uint32Array(order.length);
    let size = 0;
    for (let i = 0; i < order.length; i++) {
      const slot = order[i];
      const pc = addressFromHalves(slots[slot], slots[slot + 1]), count = slots[slot + 2];
      if (size === 0 || pcs[size - 1] !== pc) pcs[size++] = pc;
      hits[size - 1] += count;
      const index = slots[slot + 3], at = next[index]++;
      found[index].points[at] = size - 1;
      found[index].hits[at] = count;
    }
    return { pcs: pcs.slice(0, size), hits: hits.slice(0, size), origins: this.#inOrder(found) };
  }

  #inOrder(found: readonly OriginPoints[]): OriginPoints[] {
    return Array.from(found.keys()).filter((index) => this.#firstRun[index] > 0)
      .sort((a, b) => this.#firstRun[a] - this.#firstRun[b]).map((index) => found[index]);
  }

  /** The used slots in the order of their PCs. */
  #slotsByPc(): Float64Array {
    const slots = this.#slots, size = this.#size;
    const keys = Float64Array.from(this.#used.subarray(0, size));
    let lowest = Infinity, highest = -Infinity;
    for (let at = 0; at < size; at++) {
      const pc = addressFromHalves(slots[keys[at]], slots[keys[at] + 1]);
      if (pc < lowest) lowest = pc;
      if (pc > highest) highest = pc;
    }
    const pcAt = (slot: number): number => addressFromHalves(slots[slot], slots[slot + 1]);
    if (highest - lowest >= 2 ** 32 || slots.length > SLOT_RANGE * 4) {
      return keys.sort((a, b) => pcAt(a) - pcAt(b));
    }
    // Sorted as numbers, without a call for each comparison: the PC's distance, and the slot's number below it.
    for (let at = 0; at < size; at++) {
      keys[at] = (pcAt(keys[at]) - lowest) * SLOT_RANGE + keys[at] / 4;
    }
    keys.sort();
    for (let at = 0; at < size; at++) {
      // What is left of a division by SLOT_RANGE, for which engines are slow.
      keys[at] = (keys[at] - Math.floor(keys[at] / SLOT_RANGE) * SLOT_RANGE) * 4;
    }
    return keys;
  }

  #clear(): void {
    this.#indexes.clear();
    this.#origins.length = 0;
    this.#firstRun.length = 0;
    const slots = this.#slots, used = this.#used;
    if (slots.length > KEPT_SLOTS * 4) {
      this.#slots = new Uint32Array(FIRST_SLOTS * 4);
      this.#used = new Uint32Array(FIRST_SLOTS / 2);
    } else for (let at = 0; at < this.#size; at++) slots[used[at] + 2] = 0;
    this.#size = 0;
  }

  #grow(): Uint32Array<ArrayBuffer> {
    const old = this.#slots, oldUsed = this.#used;
    const slots = new Uint32Array(old.length * 4), used = new Uint32Array(old.length / 2);
    for (let at = 0; at < this.#size; at++) {
      const from = oldUsed[at];
      const slot = findSlot(slots, old[from], old[from + 1], old[from + 3]);
      slots.set(old.subarray(from, from + 4), slot);
      used[at] = slot;
    }
    this.#slots = slots;
    this.#used = used;
    return slots;
  }
}

function blockOf(low: number): number {
  return low >>> BLOCK_SHIFT & (1 << BLOCK_BITS) - 1;
}

/** Index of the slot that holds the PC with that origin, or of the free one where it belongs. */
function findSlot(slots: Uint32Array, low: number, high: number, origin: number): number {
  const mask = slots.length - 4;
  const key = low ^ Math.imul(high, 31) ^ Math.imul(origin, SPREAD_OF_ORIGINS);
  const spread = Math.imul(key, SPREAD);
  let slot = (spread ^ (spread >>> 15)) << 2 & mask;
  while (
    slots[slot + 2] !== 0 &&
    (slots[slot] !== low || slots[slot + 1] !== high || slots[slot + 3] !== origin)
  ) {
    slot = (slot + 4) & mask;
  }
  return slot;
}
