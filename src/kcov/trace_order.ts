import { type Address, addressFromHalves } from "../base/address.ts";

/** The order in which the points of a record ran on one thread, each time that they did. */
export interface TraceOrder {
  /** Which of the record's PCs, by their indexes, from the first that ran on. */
  readonly points: Uint32Array<ArrayBuffer>;
  /** How many ran after these and are left out. A full buffer has lost more, which nobody counted. */
  readonly cut: number;
}

/** So many points an order has at most: a record takes one to two bytes for each. */
export const LONGEST_ORDER = 1 << 20;

/**
 * The order of words `from` (inclusive) to `to` (exclusive) of a KCOV buffer.
 *
 * @param halves The buffer as 32-bit halves, so word `i` is entries `2 * i` (low) and `2 * i + 1` (high).
 * @param pcs The distinct PCs of these words, ascending.
 */
export function traceOrder(
  halves: Uint32Array,
  from: number,
  to: number,
  pcs: ArrayLike<Address>,
): TraceOrder {
  const end = Math.min(to, from + LONGEST_ORDER);
  const places = new Map<Address, number>();
  for (let index = 0; index < pcs.length; index++) places.set(pcs[index], index);
  const points = new Uint32Array(end - from);
  for (let word = from; word < end; word++) {
    const pc = addressFromHalves(halves[2 * word], halves[2 * word + 1]);
    points[word - from] = places.get(pc)!;
  }
  return { points, cut: to - end };
}
