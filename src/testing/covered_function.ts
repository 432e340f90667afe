import { runInThisContext } from "node:vm";
import { type RunningTest, runningTests } from "./running_test.ts";
import type { StartedCoverage } from "./started_coverage.ts";

/** The body of a test, a step or a suite, as runners call it. */
// deno-lint-ignore no-explicit-any -- whatever a runner passes goes on unchanged
export type TestBody = (this: any, ...args: any[]) => any;

/**
 * Deno leaves the runtime's frames out at the end of a failing test's stack, and takes a script of this name for the
 * runtime's: the stack ends at the test's body, as without coverage.
 */
const FILENAME = "ext:kernelcov/covered_function.js";

const beforeBody = runInThisContext(
  `(function (body, before) {
    return function (...args) {
      before(args);
      return body.apply(this, args);
    };
  })`,
  { filename: FILENAME },
) as (body: TestBody, before: (args: unknown[]) => void) => TestBody;

const aroundBody = runInThisContext(
  `(function (body, begin, running) {
    return function (...args) {
      const test = begin(args);
      const { coverage } = test;
      let result;
      try {
        result = running.run(test, () => body.apply(this, args));
      } catch (error) {
        coverage.end("failed");
        throw error;
      }
      if (typeof result !== "object" || result === null || typeof result.then !== "function") {
        coverage.end("passed");
        return result;
      }
      coverage.markAsynchronous();
      return result.then(
        (value) => { coverage.end("passed"); return value; },
        (error) => { coverage.end("failed"); throw error; },
      );
    };
  })`,
  { filename: FILENAME },
) as (
  body: TestBody,
  begin: (args: unknown[]) => RunningTest,
  running: typeof runningTests,
) => TestBody;

/** `body`, with `before` called before it. */
export function precededFunction(body: TestBody, before: (args: unknown[]) => void): TestBody {
  return named(beforeBody(body, before), body);
}

/**
 * `body` with coverage: `begin` begins it, before the body is called with the same arguments, and it ends when the
 * body has returned or thrown, or when its promise is settled.
 */
export function coveredFunction(
  body: TestBody,
  begin: (args: unknown[]) => StartedCoverage,
): TestBody {
  function start(args: unknown[]): RunningTest {
    return { coverage: begin(args), fromPreload: true };
  }
  return named(aroundBody(body, start, runningTests), body);
}

/** Runners look at a body's name, and at its length for a callback to pass. */
function named(wrapper: TestBody, body: TestBody): TestBody {
  return Object.defineProperties(wrapper, {
    name: { value: body.name },
    length: { value: body.length },
  });
}
