import type { Address } from "../base/address.ts";
import { KCOV_CALL, KCOV_CALL_COMPAT, KCOV_CALL_X32, KCOV_HOW, KCOV_HOW_SHIFT } from "./origin.ts";
import { callsNamed } from "./system_calls.ts";

// Where the kernel has no collectors, the order in which a thread's points ran still tells by which system call: every
// call begins in a function of its own. What a function does not tell for certain is not told: a page fault begins in
// functions that calls use too, and how it ends cannot be seen, so that nothing is known from there to the next entry.

/** Functions in which the kernel is entered, in columns that ascend and do not overlap. */
export interface CallEntries {
  /** First byte, where it was linked. */
  readonly start: Float64Array;
  /** Byte after the last. */
  readonly end: Float64Array;
  /** The origin of what runs from there on. */
  readonly origin: Uint16Array;
}

/** A function of the kernel. */
export interface FunctionRange {
  readonly name: string;
  readonly start: Address;
  /** Where the next function begins. */
  readonly end: Address;
}

const NONE = KCOV_HOW.own << KCOV_HOW_SHIFT | KCOV_CALL.none;

/** Functions that begin something else than a system call, and the origin of that. */
const OTHERS: ReadonlyMap<string, number> = new Map([
  ["get_signal", KCOV_CALL.signal],
  ["arch_do_signal_or_restart", KCOV_CALL.signal],
  ["do_exit", KCOV_CALL.exit],
  // At the return to user mode, of a call or of an interrupt.
  ["task_work_run", KCOV_HOW.taskWork << KCOV_HOW_SHIFT | KCOV_CALL.none],
  ...[
    // Page faults, of user mode or within a call, and what calls share with them.
    ...["do_user_addr_fault", "do_mem_abort", "do_page_fault", "handle_mm_fault"],
    ...["kmmio_fault", "fault_in_kernel_space"],
    ...["find_vma", "lock_vma_under_rcu", "lock_mm_and_find_vma"],
    // On the way back to user mode, from wherever.
    ...["__rseq_handle_notify_resume", "mem_cgroup_handle_over_high", "uprobe_notify_resume"],
    ...["blkcg_maybe_throttle_current", "switch_fpu_return"],
  ].map((name) => [name, NONE] as const),
]);

/** Functions of calls that are named otherwise. */
const CALL_OF: ReadonlyMap<string, string> = new Map([
  ["newstat", "stat"],
  ["newfstat", "fstat"],
  ["newlstat", "lstat"],
  ["newuname", "uname"],
  ["sendfile64", "sendfile"],
  ["umount", "umount2"],
  ["fadvise64_64", "fadvise64"],
]);

/** An entry by the wrapper that an architecture has for each call. */
const WRAPPER = /^__(?:x64|arm64|riscv|s390x)_sys_(\w+)$/;
/** An entry where there are no wrappers. */
const PLAIN = /^(?:__se_sys|__do_sys|sys)_(\w+)$/;
/** A call of another ABI: which one is not told. */
const FOREIGN =
  /^__(?:ia32|x64|x32|arm64|riscv|s390x?)_(?:compat_)?sys_|^(?:__(?:se|do)_)?compat_sys_/;

/**
 * The functions in which a kernel is entered.
 *
 * @param machine Whose numbers system calls are, as `uname -m` has it.
 */
export function callEntries(functions: Iterable<FunctionRange>, machine: string): CallEntries {
  const whole = [...functions].map(({ name, ...range }) => ({
    ...range,
    // Parts that the compiler has split off are the function's own.
    name: name.replace(/\..*/, ""),
  }));
  const hasWrappers = whole.some(({ name }) => WRAPPER.test(name));
  const found = whole.flatMap(({ name, start, end }) => {
    const origin = OTHERS.get(name) ?? callOrigin(name, machine, hasWrappers);
    return origin === undefined || end <= start ? [] : [{ start, end, origin }];
  });
  // A function may have several names, one of which may tell more. That of the calls that a kernel does not have has the
  // names of all of them, and tells none.
  found.sort((a, b) => a.start - b.start || Number(a.origin === NONE) - Number(b.origin === NONE));
  const own = found.filter(({ start }, at) => at === 0 || start >= found[at - 1].end)
    .map((entry) => {
      const isOfSeveral = found.some(({ start, origin }) =>
        start === entry.start && origin !== entry.origin && origin !== NONE
      );
      return isOfSeveral ? { ...entry, origin: NONE } : entry;
    });
  return {
    start: Float64Array.from(own, ({ start }) => start),
    end: Float64Array.from(own, ({ end }) => end),
    origin: Uint16Array.from(own, ({ origin }) => origin),
  };
}

/** The origin of a call that begins in a function; `undefined` where none does. */
function callOrigin(name: string, machine: string, hasWrappers: boolean): number | undefined {
  const match = (hasWrappers ? WRAPPER : PLAIN).exec(name);
  // With wrappers, what they call may be of a call of either ABI.
  if (match === null) return FOREIGN.test(name) && !PLAIN.test(name) ? NONE : undefined;
  const call = CALL_OF.get(match[1]) ?? match[1];
  const numbers = callsNamed(machine, call)
    .filter((number) => (number & (KCOV_CALL_COMPAT | KCOV_CALL_X32)) === 0);
  return numbers.length === 1 ? numbers[0] : NONE;
}
