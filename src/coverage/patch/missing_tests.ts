import type { TestLookup } from "../questions/test_lookup.ts";
import { repeatIndex } from "../repeat_index.ts";
import type { RunCoverage } from "../run_coverage.ts";
import type { PatchAnswer } from "./patch_tests.ts";

/** Tests that a patch needs, by an earlier run, held against those of the run that judges it. */
export interface MissingTests {
  /** Tests that the patch needs: indexes into those of the earlier run. */
  readonly needed: readonly number[];
  /** Those of them that did not run. */
  readonly absent: readonly number[];
  /** Those of them that began and did not end. */
  readonly unfinished: readonly number[];
  /** The change can concern any test, so all are needed. */
  readonly all: boolean;
}

/**
 * Which tests should have run and did not. A test is known by its runner, file and name, and where a file has several of
 * one name by which of them it is.
 *
 * @param answer what the patch needs of the earlier run's tests
 */
export function missingTests(
  earlier: TestLookup,
  answer: PatchAnswer,
  run: RunCoverage,
): MissingTests {
  const all = answer.runAll.length > 0;
  const { coverage } = earlier;
  const needed = all
    ? [...repeatIndex(coverage).distinct(Uint32Array.from(coverage.tests.keys()))]
    : [...answer.tests.map(({ test }) => test), ...answer.incomplete];
  const ended = new Map<string, boolean>();
  for (const test of run.tests.keys()) {
    const key = keyOf(run, test);
    ended.set(key, ended.get(key) === true || run.tests[test].record.outcome !== "unfinished");
  }
  return {
    needed,
    absent: needed.filter((test) => !ended.has(keyOf(coverage, test))),
    unfinished: needed.filter((test) => ended.get(keyOf(coverage, test)) === false),
    all,
  };
}

function keyOf(coverage: RunCoverage, test: number): string {
  const { runner, file, name } = coverage.tests[test].record;
  return JSON.stringify([runner, file, name, repeatIndex(coverage).occurrence[test]]);
}
