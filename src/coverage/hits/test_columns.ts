/** What is looked at of all tests of a run, as columns: of a fleet's no record is made for it. */
export interface TestColumns {
  /** By test, a number from 0 that tests of one runner, file and name have in common. */
  readonly identity: Uint32Array;
  /** By test, the pass over the tests that it is of. */
  readonly pass: Uint32Array;
  /** Tests whose coverage is not whole, ascending: truncated, or not passed. */
  readonly incomplete: readonly number[];
  /** How many runners ran the tests; records that do not know theirs have another one. */
  readonly runners: number;
}
