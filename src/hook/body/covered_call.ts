import type { TestOutcome } from "../../record/test_record.ts";
import { type CoveredCall, inShapeOf } from "./covered_function.ts";
import { runStepsDirectly } from "../faults/direct_steps.ts";
import { followPromise, passPromiseOn } from "./follow_promise.ts";
import { runnerBehaviour } from "../runner_behaviour.ts";
import { type RunningTest, runningTests } from "../running_test.ts";
import { unseenScript } from "./unseen_script.ts";

const { apply } = Reflect;
const { awaitsThenables } = runnerBehaviour;

/** How a runner calls a body, and what it makes of it. */
export interface CallOptions {
  /** Index of the argument that the body calls when it is done; -1 where it ends by itself. */
  readonly done?: number;
  /** False if the caller ends the coverage later than the body, unless the body throws. */
  readonly endsItself?: boolean;
  /** The test's outcome by that of its body, called when that has ended; the same by default. */
  readonly outcomeOf?: (body: TestOutcome) => TestOutcome;
}

/** A call of a body that is part of `test`, whose coverage it ends when the runner takes the body for ended. */
export function coveredCall(
  test: RunningTest,
  passed: readonly unknown[],
  { done = -1, endsItself = true, outcomeOf = (body) => body }: CallOptions = {},
): CoveredCall {
  const { coverage } = test;
  function end(outcome: TestOutcome): void {
    coverage.end(outcomeOf(outcome));
    runningTests.end(test);
  }
  const args = done < 0 ? passed : withDone(passed, done, end);
  const outer = runningTests.get();
  runningTests.enter(test);
  return {
    args,
    threw() {
      end("failed");
      runningTests.leave(outer);
    },
    returned(result) {
      // Recording ends first of all.
      const given = done < 0 && endsItself
        ? settled(result, end, coverage)
        : returnedEarly(result, end, coverage);
      runningTests.leave(outer);
      return given;
    },
    // A body that tells its end by a callback cannot be run again: the runner waits for one call.
    again: done < 0 && endsItself ? repeatedBody(coverage, args) : undefined,
  };
}

/**
 * Runs a body again for each failure that is asked for, once it has passed and its record is written.
 *
 * @param args What it is called with.
 */
export function repeatedBody(
  coverage: RunningTest["coverage"],
  args: readonly unknown[],
): NonNullable<CoveredCall["again"]> {
  return (given, run) => {
    if (coverage.faults === undefined) return given;
    const again = (): Promise<void> | undefined => {
      coverage.end("passed");
      runStepsDirectly(args);
      return coverage.runAgain(run);
    };
    if (!(given instanceof Promise)) return again() ?? given;
    return given.then((value) => Promise.resolve(again()).then(() => value));
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
function returnedEarly(result: unknown, end: End, coverage: RunningTest["coverage"]): unknown {
  coverage.markAsynchronous();
  followPromise(result, () => {}, () => end("failed"));
  return result;
}

/**
 * A body has returned. Runners go on when a promise is settled; some also ask other objects with a function `then`,
 * once.
 */
function settled(result: unknown, end: End, coverage: RunningTest["coverage"]): unknown {
  if (typeof result !== "object" && typeof result !== "function" || result === null) {
    end("passed");
    return result;
  }
  const onFulfilled = (): void => end("passed"), onRejected = (): void => end("failed");
  const followed = awaitsThenables ? passPromiseOn(result, onFulfilled, onRejected) : undefined;
  if (followed !== undefined || followPromise(result, onFulfilled, onRejected)) {
    coverage.markAsynchronous();
    return followed ?? result;
  }
  if (!awaitsThenables || !hasThen(result)) {
    end("passed");
    return result;
  }
  return relayed(result, {
    isFunction(then) {
      const is = typeof then === "function";
      if (is) coverage.markAsynchronous();
      else end("passed");
      return is;
    },
    onFulfilled: (value) => settled(value, end, coverage),
    onRejected,
  });
}

/** Not by a look at `then`: it may be made when it is looked at, and the runner looks once. */
function hasThen(value: object): boolean {
  try {
    return "then" in value;
  } catch {
    return true; // a proxy that refuses: the runner will hear it too
  }
}

/** What a runner that asks `thenable` for its end asks in its place. */
const relayed = unseenScript(
  `(function (apply) {
    "use strict";
    return (thenable, { isFunction, onFulfilled, onRejected }) => ({
      get then() {
        let then, got = false;
        try {
          then = thenable.then;
          got = true;
        } finally {
          if (!got) onRejected();
        }
        if (!isFunction(then)) return undefined;
        return (resolve, reject) => {
          let called = false;
          try {
            apply(then, thenable, [
              (value) => resolve(onFulfilled(value)),
              (error) => { onRejected(); reject(error); },
            ]);
            called = true;
          } finally {
            if (!called) onRejected();
          }
        };
      },
    });
  })`,
)(apply) as (thenable: object, on: {
  isFunction(then: unknown): boolean;
  onFulfilled(value: unknown): unknown;
  onRejected(): void;
}) => object;
