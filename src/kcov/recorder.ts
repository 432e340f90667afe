import { environmentVariable } from "../sys/runtime.ts";

/** Tells a command that a supervisor records it, and how to talk to it. */
export const SUPERVISOR_VARIABLE = "KERNELCOV_SUPERVISOR";

/** Whether a supervisor records this process. */
export function isRecorded(): boolean {
  return environmentVariable(SUPERVISOR_VARIABLE) !== undefined;
}
