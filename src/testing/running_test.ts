import { AsyncLocalStorage } from "node:async_hooks";
import type { StartedCoverage } from "./started_coverage.ts";

/** The innermost covered test that some code runs in. */
export interface RunningTest {
  readonly coverage: StartedCoverage;
  /** Whether a preload began it: a body wrapped by hand then is the same test, and not one within it. */
  readonly fromPreload: boolean;
}

// A preload and a test file may load this library twice, from two places: both must know the test that runs.
const KEY = Symbol.for("kernelcov.running-test");
const shared = globalThis as { [KEY]?: AsyncLocalStorage<RunningTest> };
/** Holds the covered test that some code runs in. */
export const runningTests: AsyncLocalStorage<RunningTest> = shared[KEY] ??= new AsyncLocalStorage<
  RunningTest
>();

/** The covered test that the caller runs in. */
export function runningTest(): RunningTest | undefined {
  return runningTests.getStore();
}

/** Runs `body`, and all that it starts, as part of a covered test. */
export function runInTest<Result>(test: RunningTest, body: () => Result): Result {
  return runningTests.run(test, body);
}
