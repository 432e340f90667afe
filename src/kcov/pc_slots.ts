// Open-addressing tables of PCs: a slot is four entries, low half, high half, a number of the PC's and padding, so that a
// probe touches one cache line. A slot whose number is 0 is free.

/** Slots of a new table. */
export const FIRST_SLOTS = 2048;
/** Larger tables are not kept. */
const KEPT_SLOTS = 65_536;
/** 2^32 divided by the golden ratio: spreads neighbouring keys over a table (Knuth, TAOCP 6.4). */
const SPREAD = 0x9e3779b1;

/** Index of the slot that holds the PC, or of the free one where it belongs. */
export function findSlot(slots: Uint32Array, low: number, high: number): number {
  const mask = slots.length - 4;
  const spread = Math.imul(low ^ Math.imul(high, 31), SPREAD);
  let slot = (spread ^ (spread >>> 15)) << 2 & mask;
  while (slots[slot + 2] !== 0 && (slots[slot] !== low || slots[slot + 1] !== high)) {
    slot = (slot + 4) & mask;
  }
  return slot;
}

/** A table of four times as many slots with the same PCs. */
export function grownSlots(old: Uint32Array): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(old.length * 4);
  for (let from = 0; from < old.length; from += 4) {
    if (old[from + 2] === 0) continue;
    const slot = findSlot(slots, old[from], old[from + 1]);
    slots[slot] = old[from];
    slots[slot + 1] = old[from + 1];
    slots[slot + 2] = old[from + 2];
  }
  return slots;
}

/** An empty table: this one, or a new one in place of a large one, so that a long trace does not make the next ones slow. */
export function clearedSlots(slots: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return slots.length <= KEPT_SLOTS * 4 ? slots.fill(0) : new Uint32Array(FIRST_SLOTS * 4);
}
