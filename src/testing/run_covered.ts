import { runInTest } from "./running_test.ts";
import type { StartedCoverage } from "./started_coverage.ts";

/**
 * Runs a test's body and ends its coverage when the body has ended: at its return, or when its promise is settled.
 * What the body returns or throws is passed on.
 */
export function runCovered<Result>(
  coverage: StartedCoverage,
  body: () => Result,
  fromPreload = false,
): Result {
  let result: Result;
  try {
    result = runInTest({ coverage, fromPreload }, body);
  } catch (error) {
    coverage.end("failed");
    throw error;
  }
  if (!isThenable(result)) {
    coverage.end("passed");
    return result;
  }
  coverage.markAsynchronous();
  return settled(result, coverage) as Result;
}

async function settled(
  result: PromiseLike<unknown>,
  coverage: StartedCoverage,
): Promise<unknown> {
  let value: unknown;
  try {
    value = await result;
  } catch (error) {
    coverage.end("failed");
    throw error;
  }
  coverage.end("passed");
  return value;
}

/** Whether a body goes on after its return. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}
