import { KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT, type OriginPoints } from "../../kcov/origin.ts";
import { isSystemCall, systemCallName } from "../../kcov/system_calls.ts";
import { environmentVariable } from "../../sys/runtime.ts";

/**
 * What is to fail in a test.
 *
 * @see `/proc/self/fail-nth` in <https://docs.kernel.org/fault-injection/fault-injection.html>, and docs/error-paths.md
 *
 * @example
 * ```ts
 * import { openSync } from "node:fs";
 * import { type FaultOptions, withKernelCoverage } from "kernelcov";
 * const fault: FaultOptions = { call: "openat", nth: "each" };
 * withKernelCoverage(() => void openSync("/dev/null", "r"), { name: "open without memory", fault });
 * ```
 */
export interface FaultOptions {
  /**
   * Name of a system call, such as `openat`, or several; `all`, the default, for those that the test made, but for those
   * that runtimes make for themselves, as for memory.
   */
  readonly call?: string | readonly string[];
  /** `each`, the default: every allocation of the call in turn; or the number of one, from 1. */
  readonly nth?: "each" | number;
}

/** Environment variable by which a command asks for it: `all`, or names of calls with commas between. */
export const FAULT_VARIABLE = "KERNELCOV_FAIL_NTH";

/** What the environment asks for; `undefined` for nothing. */
export function environmentFaults(): FaultOptions | undefined {
  const text = environmentVariable(FAULT_VARIABLE);
  return text === undefined || text === "" ? undefined : { call: text.split(",") };
}

/**
 * Holds that the options of a test's author can be meant.
 *
 * @throws {TypeError} They cannot.
 */
export function checkFaults({ call = "all", nth = "each" }: FaultOptions): void {
  const calls = typeof call === "string" ? [call] : call;
  if (!Array.isArray(calls) || !calls.every((name) => typeof name === "string" && name !== "")) {
    throw new TypeError('fault.call is no system call: use a name such as "openat", or "all"');
  }
  if (nth === "each" || Number.isInteger(nth) && nth > 0) return;
  throw new TypeError(`fault.nth is ${String(nth)}: use "each", or a whole number above 0`);
}

/** Runtimes make these calls for themselves at any time, and most end by their failure. */
const RUNTIME_CALLS: ReadonlySet<string> = new Set([
  ..."brk mmap munmap mprotect mremap madvise futex clone clone3 exit exit_group execve".split(" "),
  ..."rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack sched_yield sched_getaffinity".split(
    " ",
  ),
  ..."clock_gettime clock_nanosleep gettimeofday epoll_wait epoll_pwait epoll_pwait2".split(" "),
  ..."getrandom gettid getpid rseq set_robust_list membarrier restart_syscall prctl".split(" "),
]);

/**
 * The calls whose allocations are to fail, in the order of first runs.
 *
 * @param origins What made the test's points run; `undefined` where that is not known.
 * @param machine As `uname -m` has it.
 */
export function callsOf(
  { call = "all" }: FaultOptions,
  origins: readonly OriginPoints[] | undefined,
  machine: string,
): string[] {
  const asked = typeof call === "string" ? [call] : call;
  const own = (origins ?? []).map(({ origin }) => origin)
    .filter((origin) => origin >>> KCOV_HOW_SHIFT === KCOV_HOW.own)
    .map((origin) => origin & KCOV_CALL_MASK).filter(isSystemCall)
    .map((number) => systemCallName(machine, number)).filter((name) => !RUNTIME_CALLS.has(name));
  return [...new Set(asked.flatMap((name) => name === "all" ? own : [name]))];
}
