// Numbers of include/uapi/linux/kcov.h, in the asm-generic ioctl encoding that x86-64, arm64, riscv64, s390x and
// loongarch64 kernels share. mips and powerpc encode _IO and _IOR differently; neither runtime exists there.

/** `_IOR('c', 1, unsigned long)`: allocate the buffer. The argument is its size in words, by value. */
export const KCOV_INIT_TRACE = 0x80086301n;
/** `_IO('c', 100)`: trace the calling thread. The argument is the mode, by value. */
export const KCOV_ENABLE = 0x6364n;
/** `_IO('c', 101)`: stop. The argument must be 0. */
export const KCOV_DISABLE = 0x6365n;
/** `_IOW('c', 102, struct kcov_remote_arg)`: record work of the kernel's own tasks. The argument is the address. */
export const KCOV_REMOTE_ENABLE = 0x40186366n;
/**
 * `_IOW('c', 103, unsigned long)`: trace the calling thread and store each PC once. The argument is the size of the
 * bitmap in words, by value. Not in mainline; the embedded kernel has it.
 */
export const KCOV_UNIQUE_ENABLE = 0x40086367n;
/** `_IO('c', 104)`: clear the calling thread's trace. The argument must be 0. Comes with the one above. */
export const KCOV_RESET_TRACE = 0x6368n;
/** `_IO('c', 105)`: lose the traced task to a device that it enables itself. The argument must be 0. As the two above. */
export const KCOV_YIELD = 0x6369n;

/**
 * `_IOW('c', 105, struct kcov_collector_arg)`: make the device a collector. The argument is the address of four 32-bit
 * words, flags first. As all calls of collectors not in mainline; the embedded kernel has them.
 */
export const KCOV_COLLECTOR_INIT = 0x40106369n;
/** A flag of the call above: processes that its tasks make keep the collector, whatever others are switched to. */
export const KCOV_COLLECTOR_KEEPS = 1;
/** `_IO('c', 106)`: make tasks a group that collects into this collector. The argument is a scope. */
export const KCOV_COLLECT = 0x636an;
/** Scope of the call above: the calling thread, and what it makes later. */
export const KCOV_SCOPE_THREAD = 0n;
/** The calling thread's process, and what that makes later. */
export const KCOV_SCOPE_PROCESS = 1n;
/** `_IO('c', 107)`: have groups collect into this collector: those of the one whose descriptor is given, or the caller's. */
export const KCOV_COLLECT_SWITCH = 0x636bn;
/** In place of a descriptor: the caller's group. */
export const KCOV_SWITCH_OWN = 0xffff_ffffn;
/** Added: empty this collector first. */
export const KCOV_SWITCH_RENEW = 1n << 32n;
/** `_IO('c', 108)`: its groups collect nothing more. The argument must be 0. */
export const KCOV_COLLECT_STOP = 0x636cn;
/** `_IO('c', 109)`: the calling thread leaves its group. The argument must be 0. */
export const KCOV_COLLECT_LEAVE = 0x636dn;

/** Words of a collector's area, before its entries (`enum kcov_collector_header`). */
export const KCOV_HEADER = {
  /** Entries stored. */
  count: 0,
  /** Points that found no room. */
  lost: 1,
  /** Items that are queued on its behalf now. */
  pending: 2,
  /** Items whose cause could not be kept. */
  dropped: 4,
  /** Written by user space: while it is not 0, what the group's leader runs itself is not stored here. */
  paused: 6,
  /** Threads and processes that were made in its name. */
  tasks: 7,
  /** How many words they are. */
  words: 8,
} as const;

/**
 * What the kernel stores: `trace`, the PC of every coverage point in the order of execution, or `unique`, each PC
 * once (only kernels with `KCOV_UNIQUE_ENABLE`).
 */
export type KcovMode = "trace" | "unique";

/** Mode of `KCOV_ENABLE`: store the PC of every coverage point. */
export const KCOV_TRACE_PC = 0n;
/** Mode of `KCOV_ENABLE`: store the operands of comparisons; only kernels with `CONFIG_KCOV_ENABLE_COMPARISONS`. */
export const KCOV_TRACE_CMP = 1n;
/** Added to the mode above: each type has the call as well. Not in mainline; the embedded kernel has it. */
export const KCOV_TRACE_CALLS = 0x100n;

/** A flag of `KCOV_COLLECTOR_INIT`: comparisons are collected, and no points. */
export const KCOV_COLLECTOR_COMPARES = 2;

/** Types of comparisons: bit 0 and two bits above it in mainline, the others of the embedded kernel's. */
export const KCOV_CMP = {
  /** The first operand is constant. */
  constant: 1,
  /** How far the binary logarithm of the size in bytes is moved up. */
  sizeShift: 1,
  /** Bits of the type. */
  typeMask: 7,
  /** In a collector: not a pair, but how often others were compared that are not stored. */
  more: 0x100,
  /** How far the call is moved up, or in a collector the origin. */
  originShift: 16,
  /** 64-bit words of a record. */
  words: 4,
  /** So many pairs of unequal operands are kept of a comparison, and so many of equal ones. */
  pairs: 32,
} as const;

/** Errno of a mode that the kernel is built without (`ENOTSUPP`): the kernel's own, which libc has no name for. */
export const ENOTSUPP = 524;

/** Bytes of a word of the buffer: the kernel's `unsigned long`. */
export const WORD_BYTES = 8;

/** Smallest buffer: one count and one PC (`kcov_ioctl` in kernel/kcov.c). */
export const MIN_WORDS = 2;
/** Largest buffer: `INT_MAX / sizeof(unsigned long)`. */
export const MAX_WORDS = 268_435_455;

/** The device, in the debug file system. */
export const KCOV_PATH = "/sys/kernel/debug/kcov";
