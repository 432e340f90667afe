import type { Address } from "../base/address.ts";
import type { TraceOrder } from "./trace_order.ts";

// An origin is what made the kernel run a point, in 16 bits as an entry of a collector has it (docs/collectors.md): how
// it came to run in the upper 4, the call that it goes back to in the lower 12.

/** How a point came to run: `enum kcov_how` of the collectors' patch. */
export const KCOV_HOW = {
  /** The testing thread ran it itself. */
  own: 0,
  /** A kernel thread that was made for the test. */
  kthread: 1,
  /** A work: a workqueue's, or that of a kernel thread's worker. */
  work: 2,
  timer: 3,
  /** A callback of RCU, SRCU or RCU Tasks. */
  rcu: 4,
  /** A packet on its way, a NAPI poll or a qdisc. */
  net: 5,
  /** A worker of io_uring or vhost. */
  ioWorker: 6,
  /** Put off to the return to user mode. */
  taskWork: 7,
  tasklet: 8,
  irqWork: 9,
  /** The end of block I/O. */
  bio: 10,
  /** Another thread of the testing thread's process. */
  thread: 11,
  /** The first thread of that process, where it is not the testing one. */
  main: 12,
  /** Another process. */
  child: 13,
  /** Work of the kernel's own tasks that it recorded by a handle (`KCOV_REMOTE_ENABLE`); no collector has it. */
  remote: 14,
} as const;

/** Calls that are no system calls, in the lower 12 bits of an origin. */
export const KCOV_CALL = {
  /** None that is known: between two calls, or in a task that makes none. */
  none: 0xc00,
  pageFault: 0xc01,
  /** The delivery of a signal. */
  signal: 0xc02,
  /** `execve(2)` once the file is open. */
  exec: 0xc03,
  /** The end of a task, by `exit(2)` or a signal. */
  exit: 0xc04,
  /** A page fault in a private mapping of a file: mostly code that is loaded. */
  codeFault: 0xc05,
} as const;

/** Bits of an origin that are its call. */
export const KCOV_CALL_MASK = 0xfff;
/** How far `how` is moved up in an origin. */
export const KCOV_HOW_SHIFT = 12;
/** Added to the number of a system call of the 32-bit ABI. */
export const KCOV_CALL_COMPAT = 0x400;
/** Added to the number of a system call of x32. */
export const KCOV_CALL_X32 = 0x800;

/**
 * The points of a record that ran from one origin. A point may have several.
 *
 * @see `enum kcov_how` of src/build/recipe/whose_coverage.patch, and docs/collectors.md
 *
 * @example
 * ```ts
 * import type { OriginPoints } from "kernelcov";
 * const read: OriginPoints = { origin: 0, points: Uint32Array.of(0, 2) }; // read(2) of x86-64, by the test's own thread
 * const pcs = [0x60001000, 0x60002000, 0x60003000];
 * console.assert(pcs[read.points[1]] === 0x60003000);
 * ```
 */
export interface OriginPoints {
  /** 16 bits; see {@linkcode KCOV_HOW} and {@linkcode KCOV_CALL}. */
  readonly origin: number;
  /** Which of the record's PCs: ascending indexes, in the order of their addresses. */
  readonly points: Uint32Array<ArrayBuffer>;
  /** How often each of them ran from this origin; absent where the kernel stored each PC once. */
  readonly hits?: Uint32Array<ArrayBuffer>;
}

/** PCs, and what is known of each: of a record, or of a part of one. */
export interface RecordedPcs {
  /** Distinct PCs, ascending. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** How often each ran, or `null` where the kernel stored each PC once. */
  readonly hits: Uint32Array | null;
  /** What made the kernel run them; absent where that is not known. */
  readonly origins?: readonly OriginPoints[] | undefined;
  /** In which order they ran, each time; absent where that is not known. */
  readonly order?: TraceOrder | undefined;
}

/** PCs with their origins. */
export type OriginPcs = RecordedPcs & { readonly origins: readonly OriginPoints[] };

/** Whether it is known what made the kernel run each PC, and how often, where hits are known at all. */
export function knowsOrigins<Recorded extends RecordedPcs>(
  recorded: Recorded,
): recorded is Recorded & OriginPcs {
  const { origins, hits } = recorded;
  return origins !== undefined && (hits === null || origins.every((one) => one.hits !== undefined));
}

/** How often each of `count` points ran from all origins together. */
export function hitsOfOrigins(
  origins: readonly OriginPoints[],
  count: number,
): Uint32Array<ArrayBuffer> {
  const sum = new Float64Array(count);
  for (const { points, hits } of origins) {
    for (let i = 0; i < points.length; i++) sum[points[i]] += hits?.[i] ?? 0;
  }
  // A saturated count stays a lower bound.
  return Uint32Array.from(sum, (hits) => Math.min(hits, 0xffff_ffff));
}
