import type { RunCoverage } from "./run_coverage.ts";
import { distinct } from "./point_sets.ts";
import { repeatGroups } from "./test_repeats.ts";

/** Of a test that was run several times: in how many of its repeats something was hit. */
export interface RepeatShare {
  readonly hit: number;
  readonly of: number;
}

/** Which records of a run are repeats of one test: the first of them stands for the test. */
export class RepeatIndex {
  /** By index into the run's tests, that of the first repeat. */
  readonly first: Uint32Array;
  /** By index of the first repeat, the number of repeats; 0 for later ones. */
  readonly repeats: Uint32Array;
  /** By index into the run's tests, which of the tests of its name in its file it is, from 1. */
  readonly occurrence: Uint32Array;
  /** Number of different tests. */
  readonly tests: number;

  constructor(coverage: RunCoverage) {
    const { identity } = coverage.hits.columns ?? {};
    if (identity !== undefined && isAscending(identity)) {
      // Each ran once.
      this.tests = identity.length;
      this.first = Uint32Array.from(identity.keys());
      this.repeats = new Uint32Array(this.tests).fill(1);
      this.occurrence = this.repeats;
      return;
    }
    const groups = repeatGroups(coverage);
    this.first = new Uint32Array(coverage.tests.length);
    this.repeats = new Uint32Array(coverage.tests.length);
    this.occurrence = new Uint32Array(coverage.tests.length);
    this.tests = groups.length;
    for (const { tests, occurrence } of groups) {
      this.repeats[tests[0]] = tests.length;
      for (const test of tests) {
        this.first[test] = tests[0];
        this.occurrence[test] = occurrence;
      }
    }
  }

  /** The tests that records are of, each once, ascending. */
  distinct(records: Uint32Array): Uint32Array {
    if (this.tests === this.first.length && isAscending(records)) return records;
    return distinct(records.map((record) => this.first[record]).sort());
  }

  /** How many repeats of `test` hit something; `undefined` where it was run once. */
  share(test: number, hit: number): RepeatShare | undefined {
    const of = this.repeats[test];
    return of === 1 ? undefined : { hit, of };
  }
}

function isAscending(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] <= values[i - 1]) return false;
  return true;
}

const known = new WeakMap<RunCoverage, RepeatIndex>();

/** The repeats of a run; found once. */
export function repeatIndex(coverage: RunCoverage): RepeatIndex {
  let index = known.get(coverage);
  if (index === undefined) known.set(coverage, index = new RepeatIndex(coverage));
  return index;
}

const incomplete = new WeakMap<RunCoverage, readonly number[]>();

/** The tests whose coverage is not whole, ascending: truncated, or failed on their way. Found once. */
export function incompleteTests(coverage: RunCoverage): readonly number[] {
  let found = incomplete.get(coverage);
  if (found === undefined) {
    const records = coverage.hits.columns?.incomplete ??
      [...coverage.tests.keys()].filter((test) => {
        const { truncated, outcome } = coverage.tests[test].record;
        return truncated || outcome !== "passed";
      });
    found = Array.from(repeatIndex(coverage).distinct(Uint32Array.from(records)));
    incomplete.set(coverage, found);
  }
  return found;
}
