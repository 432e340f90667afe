import { tryReadText } from "../sys/files.ts";
import { readProcessStat } from "../sys/process_stat.ts";
import { environmentVariable, parentProcessId, processId } from "../sys/runtime.ts";

/** One start of a test command: the process that runs the tests, and when it started. */
export interface Invocation {
  /** Differs between boots of a machine and between machines. */
  readonly boot: string;
  readonly pid: number;
  /** Start time in clock ticks since boot, as `/proc/PID/stat` tells; 0 where it does not. */
  readonly start: number;
}

/** Start time of a process; `undefined` where none of that id runs. */
function startOf(pid: number): number | undefined {
  const stat = readProcessStat(pid);
  // One that has ended stays until its parent asks for it.
  if (stat === undefined || /[ZX]/.test(stat.field(3))) return undefined;
  return Number(stat.field(22));
}

function bootId(): string {
  return tryReadText("/proc/sys/kernel/random/boot_id")?.slice(0, 8) ?? "00000000";
}

/** The invocation that this process belongs to: `bun test --parallel` runs files in processes of one parent. */
export function thisInvocation(): Invocation {
  const isWorker = environmentVariable("BUN_TEST_WORKER_ID") !== undefined;
  return processInvocation(isWorker ? parentProcessId() : processId());
}

/** A process as an invocation; this one by default. */
export function processInvocation(pid: number = processId()): Invocation {
  return { boot: bootId(), pid, start: startOf(pid) ?? 0 };
}

/** Whether it was on this boot of this machine. */
export function isOfThisBoot({ boot }: Invocation): boolean {
  return boot === bootId();
}

/** Whether the invocation's process still runs on this boot of this machine. */
export function isAlive({ boot, pid, start }: Invocation): boolean {
  return boot === bootId() && startOf(pid) === start;
}

/** A name for files, with no dot. */
export function formatInvocation({ boot, pid, start }: Invocation): string {
  return `${boot}-${pid}-${start}`;
}

/** Reads what {@linkcode formatInvocation} wrote; `undefined` where `name` is something else. */
export function parseInvocation(name: string): Invocation | undefined {
  const match = /^([0-9a-f]{8})-(\d+)-(\d+)$/.exec(name);
  if (match === null) return undefined;
  return { boot: match[1], pid: Number(match[2]), start: Number(match[3]) };
}
