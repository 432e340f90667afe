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

// As they are when the library is loaded: a test may have put a clock of its own in their place.
const { setTimeout, clearTimeout } = globalThis;

/**
 * Settles when `work` does, or after `milliseconds`, whichever is first; `work` does not reject.
 *
 * @param late Called where the time has passed before.
 */
export function settleWithin(
  work: Promise<void>,
  milliseconds: number,
  late: () => void,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      late();
      resolve();
    }, milliseconds);
    work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
