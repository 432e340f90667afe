/** Rows of hits, ascending by point and then by record. */
export interface HitBlock {
  readonly points: Int32Array;
  /** Numbers of records in the segment. */
  readonly tests: Int32Array;
  /** Numbers in the dictionary of origins. */
  readonly origins: Int32Array;
  /** Unsigned. */
  readonly counts: Uint32Array;
}

/** Rows of a {@linkcode HitBlock} at most. */
export const BLOCK_ROWS = 1 << 19;

/** Gathers the rows of records, and gives them out by point. */
export class HitSorter {
  readonly #points: Uint32Array[] = [];
  readonly #origins: Uint32Array[] = [];
  readonly #counts: Uint32Array[] = [];
  #rows = 0;

  /** Rows that were added. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds the rows of the next record. */
  add(points: Uint32Array, origins: Uint32Array, counts: Uint32Array): void {
    this.#points.push(points);
    this.#origins.push(origins);
    this.#counts.push(counts);
    this.#rows += points.length;
  }

  /** All rows, in blocks. */
  *blocks(): Generator<HitBlock> {
    let last = -1;
    for (const points of this.#points) {
      for (let i = 0; i < points.length; i++) if (points[i] > last) last = points[i];
    }
    const next = new Uint32Array(last + 2);
    for (const points of this.#points) {
      for (let i = 0; i < points.length; i++) next[points[i] + 1]++;
    }
    for (let point = 0; point <= last; point++) next[point + 1] += next[point];
    const sorted = newBlock(this.#rows);
    this.#points.forEach((points, test) => {
      const origins = this.#origins[test], counts = this.#counts[test];
      for (let i = 0; i < points.length; i++) {
        const at = next[points[i]]++;
        sorted.points[at] = points[i];
        sorted.tests[at] = test;
        sorted.origins[at] = origins[i];
        sorted.counts[at] = counts[i];
      }
    });
    for (let from = 0; from < this.#rows; from += BLOCK_ROWS) {
      yield partOf(sorted, from, Math.min(from + BLOCK_ROWS, this.#rows));
    }
  }
}

/** A block to be filled. */
export function newBlock(rows: number): HitBlock {
  return {
    points: new Int32Array(rows),
    tests: new Int32Array(rows),
    origins: new Int32Array(rows),
    counts: new Uint32Array(rows),
  };
}

/** Rows `from` up to, not including, `to`. */
export function partOf(
  { points, tests, origins, counts }: HitBlock,
  from: number,
  to: number,
): HitBlock {
  return {
    points: points.subarray(from, to),
    tests: tests.subarray(from, to),
    origins: origins.subarray(from, to),
    counts: counts.subarray(from, to),
  };
}
