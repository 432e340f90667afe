import { TEST_MARK } from "../../tracer/kernel_log_marks.ts";

/** Problems that the kernel reports in its messages. */
export type KernelEventKind = "panic" | "bug" | "warning" | "hung task" | "out of memory";

/** One problem that the kernel reported, and the messages that came with it, without their times. */
export interface KernelEvent {
  readonly kind: KernelEventKind;
  /** What happened, in the kernel's words. */
  readonly what: string;
  /** The messages of it, from the first that belongs to it. */
  readonly lines: readonly string[];
  /** The line of the log that is its first. */
  readonly from: number;
  /** The test that began last before it; `undefined` where none is known. */
  readonly test: string | undefined;
}

/** What a message begins with, for each kind of event. */
const BEGINNINGS: readonly (readonly [KernelEventKind, RegExp])[] = [
  // BUG() says where it is just before it panics; other bugs do not end the kernel.
  ["bug", /^(BUG: (?!failure at ).*)/],
  // Of kernels other than user-mode Linux. The Oops of these and of bugs follows, and is theirs.
  ["bug", /^(kernel BUG at .*)/],
  ["bug", /^Oops: ((?!Oops\b|invalid opcode|[0-9a-f]{4}\b).*)/],
  ["panic", /^Kernel panic - not syncing: (.*)/],
  ["warning", /^(WARNING: .*)/],
  ["hung task", /^INFO: (task .* blocked for more than .*)/],
  // Not those of memory control groups: such limits are set on purpose.
  ["out of memory", /^Out of memory: (Killed process .*)/],
];

/** A message as the console prints it: its time, and the rest. */
export function withoutTime(line: string): string {
  return line.replace(/^\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?/, "").trimEnd();
}

/**
 * The problems that the kernel reported in its log, in order.
 *
 * @param panicked whether the kernel did end in a panic, which then is the last: any program may write to the log
 */
export function kernelEvents(log: string, panicked: boolean): KernelEvent[] {
  const lines = log.split("\n").map(withoutTime);
  const events: KernelEvent[] = [];
  let test: string | undefined;
  let at = 0;
  while (at < lines.length) {
    if (lines[at].startsWith(TEST_MARK)) test = lines[at].slice(TEST_MARK.length);
    const [kind, what] = beginningOf(lines[at]);
    if (kind === undefined || (kind === "panic" && !panicked)) {
      at++;
      continue;
    }
    const end = kind === "panic" ? lines.length : endOf(kind, lines, at);
    const cause = kind === "panic"
      ? /^BUG: failure at .*/.exec(lines[at - 1] ?? "")?.[0]
      : undefined;
    const from = cause === undefined ? at : at - 1;
    events.push({ kind, what: cause ?? what, lines: lines.slice(from, end), from, test });
    at = end;
  }
  return events;
}

function beginningOf(line: string): [KernelEventKind, string] | [undefined, ""] {
  for (const [kind, pattern] of BEGINNINGS) {
    const what = pattern.exec(line)?.[1];
    if (what !== undefined) return [kind, what];
  }
  return [undefined, ""];
}

/** Where the event that begins at `from` ends: it has one call trace at most. */
function endOf(kind: KernelEventKind, lines: readonly string[], from: number): number {
  if (kind === "out of memory") return from + 1;
  for (let at = from + 1; at < lines.length; at++) {
    if (beginningOf(lines[at])[0] !== undefined || lines[at].startsWith(TEST_MARK)) return at;
    if (/^---\[ end trace/.test(lines[at])) return at + 1;
    const traceEnded = lines[at - 1].startsWith(" [<") && !lines[at].startsWith(" [<");
    if (kind === "hung task" && traceEnded) return at;
  }
  return lines.length;
}
