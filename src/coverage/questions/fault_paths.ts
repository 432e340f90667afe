import { union } from "../point_sets.ts";
import { resolvePoints } from "../point_hits.ts";
import type { RunCoverage } from "../run_coverage.ts";

/** What ran when an allocation within a system call of a test failed. */
export interface FailedAllocation {
  /** Of the test. */
  readonly name: string;
  readonly file: string;
  /** Name of the system call. */
  readonly call: string;
  /** Which allocation of the call it was, from 1. */
  readonly nth: number;
  /** What the test's body threw then; absent where it went on to its end. */
  readonly error?: string | undefined;
  /** Distinct PCs, ascending. */
  readonly pcs: Float64Array;
}

/** The failures of one system call in one test. */
export interface CallFaults {
  readonly name: string;
  readonly file: string;
  readonly call: string;
  readonly faults: readonly FailedAllocation[];
  /** Points of the universe that no test ran without a failure, ascending. */
  readonly points: Uint32Array;
}

/** Error paths that only failures reached. */
export interface FaultPaths {
  readonly calls: readonly CallFaults[];
  /** Points of the universe that no test ran without a failure, ascending. */
  readonly points: Uint32Array;
  /** Ids of the lines that no test ran without a failure, ascending. */
  readonly lines: Uint32Array;
  /** Distinct PCs that are no points of the image, counted once for each failure. */
  readonly unresolved: number;
}

/** What failures reached that no test of the run did without. */
export function faultPaths(
  coverage: RunCoverage,
  faults: readonly FailedAllocation[],
): FaultPaths {
  const { universe: { image }, pointTests, lineHit } = coverage;
  let unresolved = 0;
  const calls = [
    ...Map.groupBy(faults, ({ name, file, call }) => JSON.stringify([file, name, call])),
  ]
    .map(([, own]): CallFaults => {
      const points = own.map(({ pcs }) => {
        const found = resolvePoints(image, { pcs, hits: null });
        unresolved += pcs.length - found.points.length;
        return found.points.filter((point) => pointTests[point] === 0);
      }).reduce(union, new Uint32Array(0));
      const { name, file, call } = own[0];
      return { name, file, call, faults: own, points };
    });
  const points = calls.map((call) => call.points).reduce(union, new Uint32Array(0));
  const lines = coverage.linesOfPoints(points).filter((line) => lineHit[line] === 0);
  return { calls, points, lines, unresolved };
}
