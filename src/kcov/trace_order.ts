import { type Address, addressFromHalves } from "../base/address.ts";

/**
 * The order in which the points of a record ran on one thread, each time that they did.
 *
 * @see `KCOV_TRACE_PC` in `include/uapi/linux/kcov.h` of Linux, whose buffer keeps it, and docs/trace.md
 *
 * @example
 * ```ts
 * import type { TraceOrder } from "kernelcov";
 * const order: TraceOrder = { points: Uint32Array.of(0, 1, 1, 0), cut: 0, full: false };
 * const pcs = [0x60001000, 0x60002000];
 * console.assert(Array.from(order.points, (point) => pcs[point])[2] === 0x60002000);
 * ```
 */
export interface TraceOrder {
  /** Which of the record's PCs, by their indexes, from the first that ran on. */
  readonly points: Uint32Array<ArrayBuffer>;
  /** How many ran after these and are left out. */
  readonly cut: number;
  /** The buffer was full: points are missing that nobody counted, behind these or among them. */
  readonly full: boolean;
}

/** So many points an order has at most: a record takes one to two bytes for each. */
export const LONGEST_ORDER = 1 << 20;

/**
 * The order of words `from` (inclusive) to `to` (exclusive) of a KCOV buffer.
 *
 * @param halves The buffer as 32-bit halves, so word `i` is entries `2 * i` (low) and `2 * i + 1` (high).
 * @param pcs Distinct PCs. Others are left out: a test's record has not what the library itself ran.
 * @param full Whether the buffer was full.
 */
export function traceOrder(
  halves: Uint32Array,
  from: number,
  to: number,
  pcs: ArrayLike<Address>,
  full: boolean,
): TraceOrder {
  const places = new Map<Address, number>();
  for (let index = 0; index < pcs.length; index++) places.set(pcs[index], index);
  const points = new Uint32Array(Math.min(to - from, LONGEST_ORDER));
  let count = 0, cut = 0;
  for (let word = from; word < to; word++) {
    const place = places.get(addressFromHalves(halves[2 * word], halves[2 * word + 1]));
    if (place === undefined) continue;
    if (count < points.length) points[count++] = place;
    else cut++;
  }
  return { points: points.slice(0, count), cut, full };
}
