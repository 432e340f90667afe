import { COUNTS } from "../../coverage/origin_selection.ts";
import type { HitBlock } from "./hit_block.ts";

/** What a record is of, for an index: a test (or command), a baseline, or what ran outside tests. */
export const RECORD_KINDS = { test: 0, baseline: 1, outside: 2 } as const;

/** Where the rows of each point are, and what they say together where what tests caused counts. */
export interface PointIndex {
  /** Ascending. */
  readonly point: Int32Array;
  /** The first row of the point. */
  readonly row: Int32Array;
  /** How many rows it has. */
  readonly rows: Int32Array;
  /** Tests that hit it. */
  readonly tests: Int32Array;
  /** The one test that hit it; -1 where none or several did. */
  readonly sole: Int32Array;
  /** The classes of the origins that ran it in tests in which none of them counts, as bits. */
  readonly left: Int32Array;
  /** 1: the baseline hit it; 2: it was hit outside tests; 3: both. */
  readonly apart: Int32Array;
}

/** Names of the columns of a {@linkcode PointIndex}. */
export const POINT_COLUMNS = ["point", "row", "rows", "tests", "sole", "left", "apart"] as const;

/** Makes the index of rows that come in order. */
export class PointIndexBuilder {
  readonly #bits: Uint8Array;
  readonly #kinds: Uint8Array;
  readonly #columns = POINT_COLUMNS.map((): number[] => []);
  /** By record, the points that count, and all. */
  readonly counted: Uint32Array;
  readonly all: Uint32Array;
  #row = 0;
  #point = -1;
  #rows = 0;
  #tests = 0;
  #sole = -1;
  #left = 0;
  #apart = 0;
  #record = -1;
  #recordBits = 0;

  /**
   * @param bits by set of origins, `COUNTS` or classes
   * @param kinds by record, of {@linkcode RECORD_KINDS}
   */
  constructor(bits: Uint8Array, kinds: Uint8Array) {
    this.#bits = bits;
    this.#kinds = kinds;
    this.counted = new Uint32Array(kinds.length);
    this.all = new Uint32Array(kinds.length);
  }

  add({ points, tests, origins }: HitBlock): void {
    for (let i = 0; i < points.length; i++) {
      const point = points[i], record = tests[i], bits = this.#bits[origins[i]];
      if (point !== this.#point) {
        this.#endPoint();
        this.#point = point;
        this.#record = record;
        this.#recordBits = bits;
      } else if (record === this.#record) this.#recordBits |= bits;
      else {
        this.#endRecord();
        this.#record = record;
        this.#recordBits = bits;
      }
      this.#rows++;
    }
  }

  end(): PointIndex {
    this.#endPoint();
    const [point, row, rows, tests, sole, left, apart] = this.#columns.map((column) =>
      Int32Array.from(column)
    ) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
    return { point, row, rows, tests, sole, left, apart };
  }

  #endRecord(): void {
    const record = this.#record, counts = this.#recordBits >= COUNTS;
    this.all[record]++;
    if (counts) this.counted[record]++;
    if (this.#kinds[record] !== RECORD_KINDS.test) {
      if (counts) this.#apart |= this.#kinds[record];
    } else if (counts) {
      this.#sole = this.#tests === 0 ? record : -1;
      this.#tests++;
    } else this.#left |= this.#recordBits;
  }

  #endPoint(): void {
    if (this.#rows === 0) return;
    this.#endRecord();
    const values = [
      ...[this.#point, this.#row, this.#rows, this.#tests],
      ...[this.#sole, this.#left, this.#apart],
    ];
    values.forEach((value, column) => this.#columns[column].push(value));
    this.#row += this.#rows;
    this.#rows =
      this.#tests =
      this.#left =
      this.#apart =
        0;
    this.#sole = -1;
  }
}
