import { environmentVariable } from "../sys/runtime.ts";

/** Tells a command that a supervisor records it, and how to talk to it. */
export const SUPERVISOR_VARIABLE = "KERNELCOV_SUPERVISOR";

// A preload and a test file may load this library from two places: both must know.
const KEY = Symbol.for("kernelcov.thread-device");
const shared = globalThis as { [KEY]?: boolean };

/** Notes whether the calling thread has a device of this library's. */
export function setThreadRecorded(recorded: boolean): void {
  shared[KEY] = recorded;
}

/** Whether the calling thread is recorded by this library: by its own device, or by a supervisor, which no thread sees. */
export function isRecorded(): boolean {
  return shared[KEY] === true || environmentVariable(SUPERVISOR_VARIABLE) !== undefined;
}
