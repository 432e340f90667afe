/** What is known of the calling thread's tests under a supervisor. */
interface ThreadTests {
  /** The number of the next test, from 1: the supervisor tells a thread's tests by their numbers. */
  next: number;
  /** Bodies that run on although their test was ended for them. */
  left: number;
}

// A preload and a test file may load this library from two places, as where one of them is a single file: both must
// count on.
const KEY = Symbol.for("kernelcov.thread-tests");
const shared = globalThis as { [KEY]?: ThreadTests };
/** What is known of the calling thread's tests. Each Worker and each file of `deno test` has its own. */
export const threadTests: ThreadTests = shared[KEY] ??= { next: 1, left: 0 };
