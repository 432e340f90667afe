import { runtimeName } from "../sys/runtime.ts";
import type { TestOutcome } from "../record/test_record.ts";
import { type CoveredCall, inShapeOf } from "./covered_function.ts";
import { followPromise } from "./follow_promise.ts";
import { enterTest, type RunningTest } from "./running_test.ts";

const { apply } = Reflect;

/** How a runner calls a body, and what it makes of it. */
export interface CallOptions {
  /** Index of the argument that the body calls when it is done; -1 where it ends by itself. */
  readonly done?: number;
  /** The test's outcome by that of its body, called when that has ended; the same by default. */
  readonly outcomeOf?: (body: TestOutcome) => TestOutcome;
}

/** A call of a body that is part of `test`, whose coverage it ends when the runner takes the body for ended. */
export function coveredCall(
  test: RunningTest,
  passed: readonly unknown[],
  { done = -1, outcomeOf = (body) => body }: CallOptions = {},
): CoveredCall {
  const { coverage } = test;
  function end(outcome: TestOutcome): void {
    coverage.end(outcomeOf(outcome));
  }
  const args = done < 0 ? passed : withDone(passed, done, end);
  const outer = enterTest(test);
  return {
    args,
    threw() {
      end("failed");
      enterTest(outer);
    },
    returned(result) {
      // Recording ends first of all.
      const given = done < 0 ? settled(result, end, coverage) : undone(result, end, coverage);
      enterTest(outer);
      return given;
    },
  };
}

type End = (outcome: TestOutcome) => void;

/** The arguments, with a callback that ends the coverage in place of the runner's. */
function withDone(args: readonly unknown[], done: number, end: End): unknown[] {
  const finish = args[done] as (this: unknown, ...args: unknown[]) => unknown;
  const changed = [...args];
  changed[done] = inShapeOf(finish, function (this: unknown, ...given: unknown[]): unknown {
    const [error] = given;
    end(error === undefined || error === null ? "passed" : "failed");
    return apply(finish, this, given);
  });
  return changed;
}

/** A body that was given a callback has returned. */
function undone(result: unknown, end: End, coverage: RunningTest["coverage"]): unknown {
  coverage.markAsynchronous();
  followPromise(result, () => {}, () => end("failed"));
  return result;
}

/**
 * A body has returned. Runners go on when a promise is settled; Deno also asks other objects with a function `then`,
 * once, which Bun does not.
 */
function settled(result: unknown, end: End, coverage: RunningTest["coverage"]): unknown {
  if (typeof result !== "object" && typeof result !== "function" || result === null) {
    end("passed");
    return result;
  }
  if (followPromise(result, () => end("passed"), () => end("failed"))) {
    coverage.markAsynchronous();
    return result;
  }
  if (asksThenables) return relayed(result, end, coverage);
  end("passed");
  return result;
}

const asksThenables = runtimeName() === "deno";

/** What a runner that waits for `result` waits for in its place. */
function relayed(result: object, end: End, coverage: RunningTest["coverage"]): object {
  return {
    get then(): unknown {
      let then: unknown;
      try {
        then = (result as { then?: unknown }).then;
      } catch (error) {
        end("failed");
        throw error;
      }
      if (typeof then !== "function") {
        end("passed");
        return undefined;
      }
      coverage.markAsynchronous();
      return (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
        const settle = [
          (value: unknown) => resolve(settled(value, end, coverage)),
          (error: unknown) => {
            end("failed");
            reject(error);
          },
        ];
        try {
          return apply(then as typeof settle[0], result, settle);
        } catch (error) {
          end("failed");
          throw error;
        }
      };
    },
  };
}
