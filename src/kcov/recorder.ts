import { environmentVariable } from "../sys/runtime.ts";

/** Tells a command that a supervisor records it, and how to talk to it. */
export const SUPERVISOR_VARIABLE = "KERNELCOV_SUPERVISOR";

/** Tells a command's tests what they record themselves with in `tree` scope: {@linkcode COLLECTORS}. */
export const RECORDER_VARIABLE = "KERNELCOV_RECORDER";
/** Each process that runs tests opens collectors. It adds its id, so that those below it do not: they are in its tests' records. */
export const COLLECTORS = "collectors";

// A preload and a test file may load this library from two places: both must know.
const KEY = Symbol.for("kernelcov.thread-device");
const shared = globalThis as { [KEY]?: boolean };

/** Notes whether the calling thread has a device or collectors of this library's. */
export function setThreadRecorded(recorded: boolean): void {
  shared[KEY] = recorded;
}

/**
 * Whether the calling thread is recorded by this library: by its own device or collectors, or by a supervisor, which no
 * thread sees.
 */
export function isRecorded(): boolean {
  return shared[KEY] === true || environmentVariable(SUPERVISOR_VARIABLE) !== undefined;
}
