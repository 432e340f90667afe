import type { Address } from "../../base/address.ts";
import { grown } from "../../base/grow.ts";
import { lowerBound } from "../../base/search.ts";
import type { PointTable } from "./point_table.ts";

/** The points of one test, as its record takes them. */
export interface TalliedPoints {
  /** Distinct raw PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** How often each was recorded. */
  readonly hits: Uint32Array<ArrayBuffer>;
}

/** Arrays of ended tallies. New memory costs a page fault per page, which a test boundary would wait for. */
const spare: { counts: Uint32Array<ArrayBuffer>; seen: Uint32Array<ArrayBuffer> }[] = [];

/** Counts how often each point of a table was recorded, for one test. */
export class PointTally {
  readonly #table: PointTable;
  #counts: Uint32Array<ArrayBuffer>;
  #seen: Uint32Array<ArrayBuffer>;
  #size = 0;

  constructor(table: PointTable) {
    this.#table = table;
    const arrays = spare.pop();
    this.#counts = arrays?.counts ?? new Uint32Array(Math.max(16_384, table.size * 2));
    this.#seen = arrays?.seen ?? new Uint32Array(4096);
  }

  /** How many distinct points were counted. */
  get size(): number {
    return this.#size;
  }

  /** Counts the first `length` of `points`, numbers of the table. */
  add(points: Uint32Array, length: number): void {
    if (this.#table.size > this.#counts.length) {
      this.#counts = grown(this.#counts, this.#table.size * 2);
    }
    const counts = this.#counts;
    for (let index = 0; index < length; index++) {
      const point = points[index];
      if (counts[point] === 0) this.#see(point);
      // A saturated count stays a lower bound instead of starting again at 0.
      if (counts[point] !== 0xffff_ffff) counts[point]++;
    }
  }

  /**
   * Takes back what did not belong: `times` as often as `counts` says of each point. A count that is saturated stays.
   */
  subtract(counts: ReadonlyMap<number, number>, times: number): void {
    let gone = 0;
    for (const [point, count] of counts) {
      const before = this.#counts[point] ?? 0;
      if (before === 0 || before === 0xffff_ffff) continue;
      this.#counts[point] = Math.max(0, before - count * times);
      if (this.#counts[point] === 0) gone++;
    }
    if (gone === 0) return;
    let size = 0;
    for (let index = 0; index < this.#size; index++) {
      const point = this.#seen[index];
      if (this.#counts[point] > 0) this.#seen[size++] = point;
    }
    this.#size = size;
  }

  /** The distinct PCs that were counted so far, ascending. */
  pcs(): TalliedPoints["pcs"] {
    const pcs = new Float64Array(this.#size);
    for (let index = 0; index < this.#size; index++) {
      pcs[index] = this.#table.address(this.#seen[index]);
    }
    return pcs.sort();
  }

  /** What was counted so far. */
  points(): TalliedPoints {
    const pcs = this.pcs();
    const hits = new Uint32Array(this.#size);
    for (const point of this.#seen.subarray(0, this.#size)) {
      hits[lowerBound(pcs, this.#table.address(point))] = this.#counts[point];
    }
    return { pcs, hits };
  }

  /** Gives up what was counted, and its memory to the next tally. */
  release(): void {
    for (let index = 0; index < this.#size; index++) this.#counts[this.#seen[index]] = 0;
    spare.push({ counts: this.#counts, seen: this.#seen });
    this.#size = 0;
    this.#counts = this.#seen = new Uint32Array(0);
  }

  #see(point: number): void {
    if (this.#size === this.#seen.length) this.#seen = grown(this.#seen, this.#size * 2);
    this.#seen[this.#size++] = point;
  }
}
