/** The tests that hit a point, and how each did. */
export interface PointRows {
  /** Ascending; a test stands once for each row that it has of the point. */
  readonly tests: Uint32Array;
  /** How often the test hit it in each row; 0: the kernel stored each PC once. */
  readonly counts: Uint32Array;
  /** By row, a number that {@linkcode HitSource.originsOf} takes. */
  readonly origins: Uint32Array;
}

/**
 * Hits that lie in a store, and are fetched when a question asks for them. What is not at hand yet is noted, and is
 * answered as if there were none: a question is asked again once it was fetched, until nothing is missing.
 */
export interface HitSource {
  /** The tests that hit a point, of the origins that count. */
  rowsOf(point: number): PointRows;
  /** The origins that a row has, in the order in which the test had them first; `undefined` where they are unknown. */
  originsOf(test: number, origins: readonly number[]): number[] | undefined;
  /** How many of the points of `test` each test hit too. */
  overlapsOf(test: number): Uint32Array;
  /** By point, the test that alone hit it: an index into the run's tests; -1 where none or several did. */
  readonly soleTest: Int32Array;
  /** Fetches what was asked for and is missing; false where nothing was. */
  fetch(): Promise<boolean>;
}
