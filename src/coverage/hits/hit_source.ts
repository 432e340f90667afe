/** The tests that hit a point, and how each did. */
export interface PointRows {
  /** Ascending, each once. */
  readonly tests: Uint32Array;
  /** How often each hit it; 0 where the kernel stored each PC once. */
  readonly counts: Uint32Array;
  /** By test, a number that {@linkcode HitSource.originsOf} takes. */
  readonly origins: Uint32Array;
}

/**
 * Hits that lie in a store, and are fetched when a question asks for them. What is not at hand yet is noted, and is
 * answered as if there were none: a question is asked again once it was fetched, until nothing is missing.
 */
export interface HitSource {
  /** The tests that hit a point, through origins that count. */
  rowsOf(point: number): PointRows;
  /** The origins of all points of a test, in the order in which it had them first; `undefined` where not known. */
  originOrder(test: number): readonly number[] | undefined;
  /** Those through which a test hit a point, as {@linkcode PointRows} has their number. */
  originsOf(number: number): readonly number[];
  /** How many of the points of `test` each test hit too; `undefined` where that is not at hand yet. */
  overlapsOf(test: number): Uint32Array | undefined;
  /** By point, the test that alone hit it: an index into the run's tests; -1 where none or several did. */
  readonly soleTest: Int32Array;
  /** Fetches what was asked for and is missing; false where nothing was. */
  fetch(): Promise<boolean>;
}

/** What has tests that may be fetched. */
interface MayFetch {
  readonly hits: { readonly source?: HitSource };
}

/** Asks a question until all that it needs was fetched. */
export async function untilFetched<Answer>(
  { hits: { source } }: MayFetch,
  question: () => Answer,
): Promise<Answer> {
  for (;;) {
    const answer = question();
    if (source === undefined || !await source.fetch()) return answer;
  }
}
