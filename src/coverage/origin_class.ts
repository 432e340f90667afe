import { KCOV_CALL, KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT } from "../kcov/origin.ts";
import { isSystemCall, systemCallName } from "../kcov/system_calls.ts";

/**
 * Whose an origin is: `own`, calls of the test's tasks; `behalf`, what the kernel did later or elsewhere for them;
 * `runtime`, what the runtime's own threads do, whatever test is open; `faults`, page faults by which code is loaded or
 * the runtime's memory comes and goes.
 *
 * @see `enum kcov_how` of src/build/recipe/whose_coverage.patch, and docs/system-calls.md
 *
 * @example
 * ```ts
 * import type { OriginClass } from "kernelcov";
 * const caused: OriginClass[] = ["own", "behalf"]; // what counts by default
 * console.assert(!caused.includes("runtime"));
 * ```
 */
export type OriginClass = "own" | "behalf" | "runtime" | "faults";

/** All of them. */
export const ORIGIN_CLASSES: readonly OriginClass[] = ["own", "behalf", "runtime", "faults"];

/** What else an origin's class depends on. */
export interface OriginContext {
  /** Whose numbers the system calls are: `x86_64`, `aarch64`, as `uname -m` has it. */
  readonly machine: string;
  /** Other threads of the runner's process served several tests at once. */
  readonly threadsShared?: boolean | undefined;
}

/** What runtimes call to keep themselves going: waiting, waking up, memory, signals, threads and clocks. */
const HOUSEKEEPING =
  /^(?:(?:futex|sched_|rt_sig|clone|clock_|epoll_).*|madvise|mmap2?|munmap|mprotect|mremap|brk|set_robust_list|rseq|sigaltstack|prctl|gettid|nanosleep|membarrier)$/;

const { own, child, taskWork, thread, main } = KCOV_HOW;
const { pageFault, codeFault } = KCOV_CALL;

/** The class of an origin, 16 bits as records have them. */
export function originClass(origin: number, context: OriginContext): OriginClass {
  const how = origin >>> KCOV_HOW_SHIFT, call = origin & KCOV_CALL_MASK;
  // Whoever reads it in and finishes that: code is loaded once, by whichever test comes first.
  if (call === codeFault) return "faults";
  switch (how) {
    case own:
      return call === pageFault ? "faults" : "own";
    case child:
    case taskWork:
      return "own";
    case main:
      return "runtime";
    case thread:
      if (context.threadsShared === true) return "runtime";
      if (call === pageFault) return "faults";
      return isHousekeeping(call, context.machine) ? "runtime" : "own";
    default:
      return "behalf";
  }
}

/** By machine, of the calls that were asked about. */
const known = new Map<string, Map<number, boolean>>();

/** Whether another thread of the test's process makes the call on the runtime's account. */
function isHousekeeping(call: number, machine: string): boolean {
  if (!isSystemCall(call)) return call !== KCOV_CALL.exec;
  let ofMachine = known.get(machine);
  if (ofMachine === undefined) known.set(machine, ofMachine = new Map());
  let found = ofMachine.get(call);
  if (found === undefined) {
    // Of another ABI the name has that in brackets.
    const [name] = systemCallName(machine, call).split(" (");
    ofMachine.set(call, found = HOUSEKEEPING.test(name));
  }
  return found;
}
