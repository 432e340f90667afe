import { grown } from "../../base/grow.ts";
import type { Address } from "../../base/address.ts";
import { LONGEST_ORDER, type TraceOrder } from "../../kcov/trace_order.ts";
import type { PointTable } from "./point_table.ts";

/** The order in which one task ran points, as it is drained. */
export class TaskOrder {
  readonly #table: PointTable;
  #points = new Uint32Array(4096);
  #count = 0;
  #cut = 0;
  #full = false;

  constructor(table: PointTable) {
    this.#table = table;
  }

  /** Adds the first `length` of `points`, numbers of the table. */
  add(points: Uint32Array, length: number): void {
    const taken = Math.min(length, LONGEST_ORDER - this.#count);
    this.#cut += length - taken;
    const end = this.#count + taken;
    if (end > this.#points.length) this.#points = grown(this.#points, end * 2);
    this.#points.set(points.subarray(0, taken), this.#count);
    this.#count = end;
  }

  /** Notes that points were lost: those that come later do not follow these. */
  markFull(): void {
    this.#full = true;
  }

  /** @param pcs Of the record, ascending. */
  order(pcs: ArrayLike<Address>): TraceOrder {
    const places = new Map<Address, number>();
    for (let index = 0; index < pcs.length; index++) places.set(pcs[index], index);
    const points = this.#points.subarray(0, this.#count)
      .map((point) => places.get(this.#table.address(point))!);
    return { points, cut: this.#cut, full: this.#full };
  }
}
