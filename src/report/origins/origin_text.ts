import { KCOV_CALL, KCOV_CALL_MASK, KCOV_HOW, KCOV_HOW_SHIFT } from "../../kcov/origin.ts";
import { isSystemCall, systemCallName } from "../../kcov/system_calls.ts";
import type { OriginPart, OriginRow } from "../../coverage/questions/test_origins.ts";

/** How a point came to run, by the number of {@linkcode KCOV_HOW}; empty where a task of the test ran it itself. */
const HOW_TEXT: Readonly<Record<number, string>> = {
  [KCOV_HOW.own]: "",
  [KCOV_HOW.kthread]: "by a kernel thread",
  [KCOV_HOW.work]: "by a work",
  [KCOV_HOW.timer]: "by a timer",
  [KCOV_HOW.rcu]: "by an RCU callback",
  [KCOV_HOW.net]: "in softirq",
  [KCOV_HOW.ioWorker]: "by an io_uring worker",
  [KCOV_HOW.taskWork]: "in task work",
  [KCOV_HOW.tasklet]: "by a tasklet",
  [KCOV_HOW.irqWork]: "by irq_work",
  [KCOV_HOW.bio]: "at the end of block I/O",
  [KCOV_HOW.thread]: "in another thread",
  [KCOV_HOW.main]: "in the main thread",
  [KCOV_HOW.child]: "in a child process",
  [KCOV_HOW.remote]: "remote: by a kernel worker",
};

/** Those of them that are tasks of the test. */
const TASKS: ReadonlySet<number> = new Set([
  KCOV_HOW.own,
  KCOV_HOW.taskWork,
  KCOV_HOW.thread,
  KCOV_HOW.main,
  KCOV_HOW.child,
]);

/** Headings of the parts. */
export const PART_TEXT: Readonly<Record<OriginPart, string>> = {
  calls: "System calls",
  faults: "Page faults",
  behalf: "On its behalf",
  runtime: "Runtime threads",
};

/** The call of an origin: `connect(2)`, `page fault`. */
function callText(machine: string, origin: number): string {
  const call = origin & KCOV_CALL_MASK;
  const name = systemCallName(machine, call);
  if (!isSystemCall(call) || name.startsWith("system call ")) return name;
  const [, bare, abi] = /^(\S+)(.*)$/.exec(name)!;
  return `${bare}(2)${abi}`;
}

/** How an origin came to run: `in softirq`; empty where a task of the test ran it itself. */
function howText(origin: number): string {
  const how = origin >>> KCOV_HOW_SHIFT;
  return HOW_TEXT[how] ?? `in way ${how}`;
}

/** An origin in words: `connect(2), in softirq`. */
export function originText(machine: string, origin: number): string {
  const call = callText(machine, origin), how = howText(origin);
  if (how === "") return call;
  // A task is between two calls then, what ran on behalf goes back to none that is known.
  const isNone = (origin & KCOV_CALL_MASK) === KCOV_CALL.none;
  return isNone && !TASKS.has(origin >>> KCOV_HOW_SHIFT) ? how : `${call}, ${how}`;
}

/** What a row is of: its call, or how it ran on behalf and for which calls. */
export function rowText(machine: string, { part, origins }: OriginRow): string {
  const [first] = origins;
  if (part !== "behalf") {
    return origins.length === 1 ? originText(machine, first) : callText(machine, first);
  }
  const calls = origins.filter((origin) => (origin & KCOV_CALL_MASK) !== KCOV_CALL.none)
    .map((origin) => callText(machine, origin));
  return calls.length === 0 ? howText(first) : `${howText(first)}, for ${someOf(calls)}`;
}

/** Through which calls a place is reached: `by connect(2), in softirq; by bind(2)`. */
export function originsText(machine: string, origins: readonly number[]): string {
  return someOf(origins.map((origin) => byText(machine, origin)), "; ");
}

function byText(machine: string, origin: number): string {
  const text = originText(machine, origin);
  const call = origin & KCOV_CALL_MASK;
  if (call === KCOV_CALL.none) return text;
  const isFault = call === KCOV_CALL.pageFault || call === KCOV_CALL.codeFault;
  return isFault ? `by a ${text}` : `by ${text}`;
}

/** How many of a list are named. */
const NAMED = 3;

function someOf(texts: readonly string[], separator = ", "): string {
  const more = texts.length - NAMED;
  // One more takes no more room than saying so.
  if (more <= 1) return texts.join(separator);
  return `${texts.slice(0, NAMED).join(separator)} and ${more} more`;
}
