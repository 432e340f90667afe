// A preload and a test file may load this library from two places: both must know.
const KEY = Symbol.for("kernelcov.fault-runs");
const shared = globalThis as { [KEY]?: boolean };

/** Notes whether a body runs again for its failures. */
export function setFaultRuns(running: boolean): void {
  shared[KEY] = running;
}

/** Whether a body that is called now is one that runs again with a failure: nothing of it is a test of its own. */
export function isFaultRun(): boolean {
  return shared[KEY] === true;
}
