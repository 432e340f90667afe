import type { UnitHeader } from "../../dwarf/unit_headers.ts";
import type { NextUnit } from "./unit_work.ts";

/** `.debug_info` bytes that a thread takes at a time: little enough to share evenly, enough to be read in few calls. */
const GROUP_SIZE = 1 << 20;

/** Words of {@linkcode SharedUnits.state}. */
const NEXT_GROUP = 0;
const JOINED = 1;

const OPEN = 0;
const TAKEN = 1;
const CLOSED = 2;

/** Units that threads take from, group by group; its arrays are shared memory. */
export interface SharedUnits {
  /** First unit of each group; one more at the end. */
  readonly groups: Uint32Array;
  readonly state: Int32Array;
}

/** Makes groups of neighbouring units for all threads to take. */
export function shareUnits(
  headers: readonly UnitHeader[],
  wanted: (unit: number) => boolean,
): SharedUnits {
  const groups = [0];
  let size = 0;
  headers.forEach((header, unit) => {
    if (wanted(unit)) size += header.end - header.offset;
    if (size >= GROUP_SIZE) {
      groups.push(unit + 1);
      size = 0;
    }
  });
  if (groups[groups.length - 1] !== headers.length) groups.push(headers.length);
  return { groups: shared(Uint32Array.from(groups)), state: shared(new Int32Array(2)) };
}

/** Takes units from groups that no other thread has taken. */
export function takeUnits({ groups, state }: SharedUnits): NextUnit {
  let unit = 0, end = 0;
  return () => {
    if (unit === end) {
      const group = Atomics.add(state, NEXT_GROUP, 1);
      if (group + 1 >= groups.length) return -1;
      unit = groups[group];
      end = groups[group + 1];
    }
    return unit++;
  };
}

/** A worker says that it takes part; false where the work was done before it was ready. */
export function joinWork({ state }: SharedUnits): boolean {
  return Atomics.compareExchange(state, JOINED, OPEN, TAKEN) === OPEN;
}

/** Ends the work for a worker that has not joined; false where it has joined and its results are to be awaited. */
export function closeWork({ state }: SharedUnits): boolean {
  return Atomics.compareExchange(state, JOINED, OPEN, CLOSED) !== TAKEN;
}

/** A copy of a column in memory that threads share. */
export function shared<T extends Uint32Array | Int32Array | Float64Array | Uint8Array>(
  column: T,
): T {
  const make = column.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new make(new SharedArrayBuffer(column.byteLength));
  copy.set(column);
  return copy;
}
