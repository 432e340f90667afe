import { AsyncLocalStorage } from "node:async_hooks";
import { runnerBehaviour } from "./runner_behaviour.ts";
import type { TestCoverage } from "./test_coverage.ts";

/** The innermost covered test that some code runs in. */
export interface RunningTest {
  readonly coverage: TestCoverage;
  /** Whether a preload began it: a body wrapped by hand then is the same test, and not one within it. */
  readonly fromPreload: boolean;
}

/** Tells which covered test some code runs in. */
interface RunningTests {
  get(): RunningTest | undefined;
  /** The test that begins here. */
  enter(test: RunningTest): void;
  /** The test's body has returned or thrown: what runs next is part of `outer`. The test may wait and go on. */
  leave(outer: RunningTest | undefined): void;
  /** The test has ended. */
  end(test: RunningTest): void;
  /** No test runs any more. */
  clear(): void;
}

/** By the asynchronous context: what a test starts belongs to it, even if other tests run at the same time. */
class ContextTests implements RunningTests {
  readonly #storage = new AsyncLocalStorage<RunningTest | undefined>();
  // A function that runs another would be a frame on the stack of each failing test.
  readonly #enter = AsyncLocalStorage.prototype.enterWith.bind(this.#storage);
  readonly get = AsyncLocalStorage.prototype.getStore.bind(this.#storage) as RunningTests["get"];

  enter(test: RunningTest): void {
    this.#enter(test);
  }

  leave(outer: RunningTest | undefined): void {
    this.#enter(outer);
  }

  end(): void {}

  clear(): void {}
}

/**
 * By what is open: the test whose body runs now, else the only one that waits. For runners that must not be handed
 * functions of an asynchronous context.
 */
class OpenTests implements RunningTests {
  #current: RunningTest | undefined;
  /** Those that have not ended. No method of an array is called: it may be one that a test has replaced. */
  #open: readonly RunningTest[] = [];

  get(): RunningTest | undefined {
    if (this.#current !== undefined) return this.#current;
    return this.#open.length === 1 ? this.#open[0] : undefined;
  }

  enter(test: RunningTest): void {
    this.#open = this.#without(test);
    (this.#open as RunningTest[])[this.#open.length] = test;
    this.#current = test;
  }

  leave(outer: RunningTest | undefined): void {
    this.#current = outer;
  }

  end(test: RunningTest): void {
    this.#open = this.#without(test);
  }

  clear(): void {
    this.#current = undefined;
    this.#open = [];
  }

  #without(test: RunningTest): RunningTest[] {
    const others: RunningTest[] = [];
    for (let index = 0; index < this.#open.length; index++) {
      const other = this.#open[index];
      if (other !== test) others[others.length] = other;
    }
    return others;
  }
}

// A preload and a test file may load this library twice, from two places: both must know the test that runs.
const KEY = Symbol.for("kernelcov.running-tests");
const shared = globalThis as { [KEY]?: RunningTests };
/** Which covered test the caller runs in. */
export const runningTests: RunningTests = shared[KEY] ??= runnerBehaviour.keepsContext
  ? new ContextTests()
  : new OpenTests();
