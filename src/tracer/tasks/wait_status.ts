// How a task ended or stopped, as `waitpid` reports it (`include/uapi/linux/wait.h`, glibc's `waitstatus.h`).

/** Whether it stopped, rather than ended. */
export function isStopped(status: number): boolean {
  return (status & 0xff) === 0x7f;
}

/** Signal of a stop, with bit 7 set for a system call stop. */
export function stopSignal(status: number): number {
  return (status >> 8) & 0xff;
}

/** The `PTRACE_EVENT_…` of a stop, or 0. */
export function stopEvent(status: number): number {
  return (status >> 16) & 0xffff;
}

/** Exit status of an ended task, or `null` where a signal ended it. */
export function exitCode(status: number): number | null {
  return (status & 0x7f) === 0 ? (status >> 8) & 0xff : null;
}

/** The signal that ended a task. */
export function endSignal(status: number): number {
  return status & 0x7f;
}
