import type { RunCoverage } from "./run_coverage.ts";

/** Records of one test that was run several times. */
export interface RepeatGroup {
  readonly file: string;
  readonly name: string;
  /** Indexes into the run's tests. */
  readonly tests: readonly number[];
  /** Points that every repeat hit, ascending. */
  readonly steady: Uint32Array;
  /** Points that some repeats hit and some did not, ascending: caches, timers and work queues come and go. */
  readonly flaky: Uint32Array;
}

/** The tests of a run by runner, file and name, each with the points that come and go between its repeats. */
export function repeatGroups(coverage: RunCoverage): RepeatGroup[] {
  const byIdentity = new Map<string, number[]>();
  coverage.tests.forEach(({ record }, test) => {
    const key = `${record.runner ?? ""}\n${record.file}\n${record.name}`;
    const tests = byIdentity.get(key);
    if (tests === undefined) byIdentity.set(key, [test]);
    else tests.push(test);
  });
  const seen = new Uint32Array(coverage.pointTests.length);
  return [...byIdentity.values()].map((tests) => {
    const { file, name } = coverage.tests[tests[0]!]!.record;
    if (tests.length === 1) {
      const steady = coverage.tests[tests[0]!]!.points.points;
      return { file, name, tests, steady, flaky: new Uint32Array(0) };
    }
    for (const test of tests) {
      for (const point of coverage.tests[test]!.points.points) seen[point]!++;
    }
    const steady: number[] = [], flaky: number[] = [];
    for (const test of tests) {
      for (const point of coverage.tests[test]!.points.points) {
        if (seen[point] === 0) continue;
        (seen[point] === tests.length ? steady : flaky).push(point);
        seen[point] = 0;
      }
    }
    return {
      file,
      name,
      tests,
      steady: Uint32Array.from(steady).sort(),
      flaky: Uint32Array.from(flaky).sort(),
    };
  });
}
