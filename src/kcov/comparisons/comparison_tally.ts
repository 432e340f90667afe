import { addressFromHalves } from "../../base/address.ts";
import { KCOV_CMP } from "../abi.ts";
import { KCOV_CALL } from "../origin.ts";
import type { Comparisons } from "./comparisons.ts";
import { PairCounts } from "./pair_counts.ts";

// A pair is a slot of eight entries: low and high half of the PC, its tag, the halves of both operands, and how often it
// was compared; a slot that was compared 0 times is free. The tag is the type, and above it the origin.
const PAIR = 8;
const FIRST_PAIRS = 4096;
/** Larger tables are not kept. */
const KEPT_PAIRS = 65_536;
/** More pairs than this are counted, not kept. */
const MOST_PAIRS = 1 << 20;
const MOST_TIMES = 0xffff_ffff;
const SIGNED_MOST_TIMES = -1;
/** Bits of a slot's number beside its PC in a key to sort by: there are twice as many slots as pairs. */
const SLOT_RANGE = 2 ** 22;
/** 2^32 divided by the golden ratio: spreads neighbouring keys over a table. */
const SPREAD = 0x9e37_79b1 | 0;
const SPREAD_OF_OPERANDS = 0x85eb_ca6b | 0;
const CALL_UNKNOWN = KCOV_CALL.none << KCOV_CMP.originShift;

/** Gathers comparisons by their operands. No bigint is made of a record. */
export class ComparisonTally {
  #slots = new Uint32Array(FIRST_PAIRS * PAIR);
  /** The slots that are used: a small trace costs no look at the others. */
  #used = new Uint32Array(FIRST_PAIRS / 2);
  #size = 0;
  /** By comparison and origin; asked for each new pair alone, and for each record that is beyond what is kept. */
  readonly #counts = new PairCounts();
  #lost = 0;

  /**
   * Adds records `from` (inclusive) to `to` (exclusive) of a buffer of `KCOV_TRACE_CMP`.
   *
   * @param halves The buffer as 32-bit halves, low first.
   * @param hasCalls Whether their types have the call.
   */
  addTrace(halves: Uint32Array, from: number, to: number, hasCalls: boolean): void {
    const step = KCOV_CMP.words * 2;
    // As signed numbers: engines make others of those above 2^31 that are unsigned.
    const entries = new Int32Array(halves.buffer, halves.byteOffset, halves.length);
    let slots = signed(this.#slots);
    const otherwise = hasCalls ? 0 : CALL_UNKNOWN;
    for (let at = 2 + from * step, end = 2 + to * step; at < end; at += step) {
      const tag = entries[at] | otherwise;
      const first = entries[at + 2], firstHigh = entries[at + 3];
      const second = entries[at + 4], secondHigh = entries[at + 5];
      const low = entries[at + 6], high = entries[at + 7];
      const slot = findPair(slots, low, high, tag, first, firstHigh, second, secondHigh);
      const times = slots[slot + 7];
      if (times !== 0) {
        if (times !== SIGNED_MOST_TIMES) slots[slot + 7] = times + 1;
        continue;
      }
      const isEqual = first === second && firstHigh === secondHigh;
      const count = this.#counts.of(low >>> 0, high >>> 0, tag >>> 0, first >>> 0, firstHigh >>> 0);
      if (!this.#takes(count, isEqual)) {
        this.#counts.addMore(count, 1);
        continue;
      }
      this.#put(slot, low, high, tag, 1);
      this.#operands(slot, first, firstHigh, second, secondHigh);
      if (this.#used.length > this.#size) continue;
      this.#grow();
      slots = signed(this.#slots);
    }
  }

  /**
   * Adds the entries of a collector of comparisons from number `from` on.
   *
   * @param halves The area as 32-bit halves, low first.
   * @param start Words before the first entry.
   * @returns Up to which number they are read: the first that is not stored yet, or `to`.
   */
  addCollected(halves: Uint32Array, start: number, from: number, to: number): number {
    const step = KCOV_CMP.words * 2;
    let read = to;
    for (let entry = from; entry < to; entry++) {
      const at = start * 2 + entry * step;
      const low = halves[at], high = halves[at + 1];
      if (low === 0 && high === 0) {
        if (read === to) read = entry;
        continue;
      }
      const type = halves[at + 2], times = halves[at + 3];
      const tag = ((type & KCOV_CMP.typeMask) | (high >>> 16 << KCOV_CMP.originShift)) >>> 0;
      this.#addPair(
        low,
        (high << 16 >> 16) >>> 0,
        tag,
        halves.subarray(at + 4, at + 8),
        times,
        (type & KCOV_CMP.more) !== 0,
      );
    }
    return read;
  }

  /** Adds what another tally had gathered. */
  add({ pcs, types, more, pairEnd, first, second, times, origins, lost }: Comparisons): void {
    const firstHalves = new Uint32Array(first.buffer, first.byteOffset, first.length * 2);
    const secondHalves = new Uint32Array(second.buffer, second.byteOffset, second.length * 2);
    let pair = 0;
    for (let at = 0; at < pcs.length; at++) {
      const low = pcs[at] >>> 0, high = Math.floor(pcs[at] / 0x1_0000_0000) >>> 0;
      for (; pair < pairEnd[at]; pair++) {
        const tag = (types[at] | origins[pair] << KCOV_CMP.originShift) >>> 0;
        const a = pair * 2, b = a + 1;
        const operands = Uint32Array.of(
          ...[firstHalves[a], firstHalves[b], secondHalves[a], secondHalves[b]],
        );
        const isLast = pair + 1 === pairEnd[at];
        this.#addPair(low, high, tag, operands, times[pair], false);
        if (isLast && more[at] > 0) this.#addPair(low, high, tag, operands, more[at], true);
      }
    }
    this.#lost += lost;
  }

  #addPair(
    low: number,
    high: number,
    tag: number,
    operands: Uint32Array,
    times: number,
    isMore: boolean,
  ): void {
    const [first, firstHigh, second, secondHigh] = operands;
    const count = this.#counts.of(low, high, tag, first, firstHigh);
    if (isMore) {
      this.#counts.addMore(count, times);
      return;
    }
    const slot = findPair(
      signed(this.#slots),
      ...[low | 0, high | 0, tag | 0] as const,
      ...[first | 0, firstHigh | 0, second | 0, secondHigh | 0] as const,
    );
    if (this.#slots[slot + 7] !== 0) {
      this.#slots[slot + 7] = Math.min(this.#slots[slot + 7] + times, MOST_TIMES);
    } else if (this.#takes(count, first === second && firstHigh === secondHigh)) {
      this.#put(slot, low, high, tag, times);
      this.#operands(slot, first, firstHigh, second, secondHigh);
      if (this.#used.length === this.#size) this.#grow();
    } else this.#counts.addMore(count, times);
  }

  /** Counts comparisons that found no room. */
  addLost(lost: number): void {
    this.#lost += lost;
  }

  /** What was gathered, and empties the tally. */
  take(): Comparisons {
    const comparisons = this.comparisons();
    this.clear();
    return comparisons;
  }

  /** Empties it; a large table is given back, so that a long trace does not make the next ones slow. */
  clear(): void {
    if (this.#slots.length > KEPT_PAIRS * PAIR) {
      this.#slots = new Uint32Array(FIRST_PAIRS * PAIR);
      this.#used = new Uint32Array(FIRST_PAIRS / 2);
    } else for (let at = 0; at < this.#size; at++) this.#slots[this.#used[at] + 7] = 0;
    this.#size = 0;
    this.#counts.clear();
    this.#lost = 0;
  }

  /** What was gathered so far. */
  comparisons(): Comparisons {
    const slots = this.#slots, size = this.#size;
    const order = this.#inOrder();
    const first = new BigUint64Array(size), second = new BigUint64Array(size);
    const firstHalves = new Uint32Array(first.buffer),
      secondHalves = new Uint32Array(second.buffer);
    const times = new Uint32Array(size), origins = new Uint16Array(size);
    const pcs: number[] = [], types: number[] = [], pairEnd: number[] = [], more: number[] = [];
    let last = -1;
    for (let pair = 0; pair < size; pair++) {
      const slot = order[pair];
      if (last < 0 || !this.#isSameComparison(last, slot)) {
        pcs.push(addressFromHalves(slots[slot], slots[slot + 1]));
        types.push(slots[slot + 2] & KCOV_CMP.typeMask);
        pairEnd.push(pair);
        more.push(0);
        last = slot;
      }
      pairEnd[pairEnd.length - 1] = pair + 1;
      firstHalves[pair * 2] = slots[slot + 3];
      firstHalves[pair * 2 + 1] = slots[slot + 4];
      secondHalves[pair * 2] = slots[slot + 5];
      secondHalves[pair * 2 + 1] = slots[slot + 6];
      times[pair] = slots[slot + 7];
      origins[pair] = slots[slot + 2] >>> KCOV_CMP.originShift;
    }
    const lost = this.#lost + this.#addMore(order, pairEnd, more);
    return {
      pcs: Float64Array.from(pcs),
      types: Uint8Array.from(types),
      more: Uint32Array.from(more, (count) => Math.min(count, MOST_TIMES)),
      pairEnd: Uint32Array.from(pairEnd),
      ...{ first, second, times, origins, lost },
    };
  }

  /**
   * Adds what is not kept to the comparisons that it is of.
   *
   * @returns How often comparisons were made of which no pair is kept.
   */
  #addMore(order: Float64Array, pairEnd: readonly number[], more: number[]): number {
    const { anyMore } = this.#counts;
    if (!anyMore) return 0;
    const slots = this.#slots, added = new Set<number>();
    let pair = 0, sum = 0;
    for (let at = 0; at < pairEnd.length; at++) {
      for (; pair < pairEnd[at]; pair++) {
        const [low, high, tag, first, firstHigh] = slots.subarray(order[pair], order[pair] + 5);
        const count = this.#counts.of(low, high, tag, first, firstHigh);
        if (added.has(count)) continue;
        added.add(count);
        more[at] += this.#counts.moreOf(count);
      }
      sum += more[at];
    }
    return this.#counts.totalMore - sum;
  }

  #takes(count: number, isEqual: boolean): boolean {
    return this.#size < MOST_PAIRS && this.#counts.take(count, isEqual);
  }

  #put(slot: number, low: number, high: number, tag: number, times: number): void {
    const slots = this.#slots;
    slots[slot] = low;
    slots[slot + 1] = high;
    slots[slot + 2] = tag;
    slots[slot + 7] = times;
    this.#used[this.#size++] = slot;
  }

  #operands(slot: number, a: number, aHigh: number, b: number, bHigh: number): void {
    const slots = this.#slots;
    slots[slot + 3] = a;
    slots[slot + 4] = aHigh;
    slots[slot + 5] = b;
    slots[slot + 6] = bHigh;
  }

  #grow(): void {
    const old = this.#slots, oldUsed = this.#used;
    this.#slots = new Uint32Array(old.length * 2);
    this.#used = new Uint32Array(oldUsed.length * 2);
    const from = signed(old), slots = signed(this.#slots);
    for (let at = 0; at < this.#size; at++) {
      const pair = from.subarray(oldUsed[at], oldUsed[at] + PAIR);
      const slot = findPair(slots, pair[0], pair[1], pair[2], pair[3], pair[4], pair[5], pair[6]);
      slots.set(pair, slot);
      this.#used[at] = slot;
    }
  }

  /** The used slots: those of a comparison together, by PC, type and constant; the most frequent pairs first. */
  #inOrder(): Float64Array {
    const slots = this.#slots, size = this.#size;
    const order = Float64Array.from(this.#used.subarray(0, size));
    const pcAt = (slot: number): number => addressFromHalves(slots[slot], slots[slot + 1]);
    let lowest = Infinity, highest = -Infinity;
    for (let at = 0; at < size; at++) {
      const pc = pcAt(order[at]);
      if (pc < lowest) lowest = pc;
      if (pc > highest) highest = pc;
    }
    if (highest - lowest >= 2 ** 31) {
      return order.sort((a, b) => pcAt(a) - pcAt(b) || this.#compare(a, b));
    }
    // Sorted as numbers, without a call for each comparison: the PC's distance, and the slot's number below it.
    for (let at = 0; at < size; at++) {
      order[at] = (pcAt(order[at]) - lowest) * SLOT_RANGE + order[at] / PAIR;
    }
    order.sort();
    let first = 0, last = -1;
    for (let at = 0; at < size; at++) {
      const distance = Math.floor(order[at] / SLOT_RANGE);
      order[at] = (order[at] - distance * SLOT_RANGE) * PAIR;
      if (distance === last) continue;
      if (at - first > 1) order.subarray(first, at).sort((a, b) => this.#compare(a, b));
      first = at;
      last = distance;
    }
    order.subarray(first).sort((a, b) => this.#compare(a, b));
    return order;
  }

  /** Which of two slots of one PC comes first. */
  #compare(a: number, b: number): number {
    const slots = this.#slots;
    return (slots[a + 2] & KCOV_CMP.typeMask) - (slots[b + 2] & KCOV_CMP.typeMask) ||
      this.#constantOrder(a, b) ||
      slots[b + 7] - slots[a + 7] ||
      slots[a + 4] - slots[b + 4] || slots[a + 3] - slots[b + 3] ||
      slots[a + 6] - slots[b + 6] || slots[a + 5] - slots[b + 5] ||
      slots[a + 2] - slots[b + 2];
  }

  #constantOrder(a: number, b: number): number {
    const slots = this.#slots;
    if ((slots[a + 2] & KCOV_CMP.constant) === 0) return 0;
    return slots[a + 4] - slots[b + 4] || slots[a + 3] - slots[b + 3];
  }

  #isSameComparison(a: number, b: number): boolean {
    const slots = this.#slots;
    return slots[a] === slots[b] && slots[a + 1] === slots[b + 1] &&
      ((slots[a + 2] ^ slots[b + 2]) & KCOV_CMP.typeMask) === 0 && this.#constantOrder(a, b) === 0;
  }
}

/** The same numbers as signed ones. */
function signed(numbers: Uint32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  return new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

/** Index of the slot that holds the pair, or of the free one where it belongs. */
function findPair(
  slots: Int32Array,
  low: number,
  high: number,
  tag: number,
  first: number,
  firstHigh: number,
  second: number,
  secondHigh: number,
): number {
  const mask = slots.length - PAIR;
  let key = Math.imul(low ^ tag, SPREAD) ^ first ^ Math.imul(second, SPREAD_OF_OPERANDS);
  key = Math.imul(key ^ (key >>> 15) ^ firstHigh ^ Math.imul(secondHigh, 31), SPREAD);
  let slot = (key ^ (key >>> 16)) << 3 & mask;
  while (
    slots[slot + 7] !== 0 &&
    (slots[slot] !== low || slots[slot + 3] !== first || slots[slot + 5] !== second ||
      slots[slot + 2] !== tag || slots[slot + 4] !== firstHigh ||
      slots[slot + 6] !== secondHigh || slots[slot + 1] !== high)
  ) {
    slot = (slot + PAIR) & mask;
  }
  return slot;
}
