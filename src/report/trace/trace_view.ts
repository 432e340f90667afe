import type { CallNode } from "../../coverage/trace/call_tree.ts";
import type { CalledTrace } from "../../coverage/trace/test_trace.ts";
import { originText } from "../origins/origin_text.ts";

/** The trace of a test, and what is to be said of it. */
export interface TraceView {
  /** What the test is called. */
  readonly label: string;
  /** As `uname -m` has it. */
  readonly machine: string;
  readonly trace: CalledTrace;
  /** The calls from outside that are shown. */
  readonly roots: readonly CallNode[];
  /** What it lacks, in lines for people. */
  readonly notes: readonly string[];
}

/** What is not known to be of a system call. */
export const OUTSIDE_CALLS = "outside of system calls";

/** Stands for all calls that a kernel is built without. */
const NO_CALL = "sys_ni_syscall";

/** Why the kernel was entered: `pipe2(2)`, `page fault`. */
export function entryText({ machine, trace }: Omit<TraceView, "roots">, root: CallNode): string {
  const origin = trace.entryOf(root);
  if (origin !== undefined) return originText(machine, origin);
  return trace.nameOf(root) === NO_CALL ? "system call that the kernel has not" : OUTSIDE_CALLS;
}
