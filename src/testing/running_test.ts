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
const shared = globalThis as { [KEY]?: AsyncLocalStorage<RunningTest | undefined> };
const runningTests = shared[KEY] ??= new AsyncLocalStorage<RunningTest | undefined>();
const { enterWith, getStore } = AsyncLocalStorage.prototype;
const { apply } = Reflect;

/** The covered test that the caller runs in. */
export function runningTest(): RunningTest | undefined {
  return apply(getStore, runningTests, []) as RunningTest | undefined;
}

/**
 * What the caller runs from now on, and all that it starts, is part of `test`. Not `run` with a function: that would be
 * a frame on the stack of each failing test.
 *
 * @returns The test that the caller ran in before, to enter again afterwards.
 */
export function enterTest(test: RunningTest | undefined): RunningTest | undefined {
  const outer = runningTest();
  apply(enterWith, runningTests, [test]);
  return outer;
}
