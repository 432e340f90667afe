// Numbers of include/uapi/linux/kcov.h, in the asm-generic ioctl encoding that x86-64, arm64, riscv64, s390x and
// loongarch64 kernels share. mips and powerpc encode _IO and _IOR differently; neither runtime exists there.

/** `_IOR('c', 1, unsigned long)`: allocate the buffer. The argument is its size in words, by value. */
export const KCOV_INIT_TRACE = 0x80086301n;
/** `_IO('c', 100)`: trace the calling thread. The argument is the mode, by value. */
export const KCOV_ENABLE = 0x6364n;
/** `_IO('c', 101)`: stop. The argument must be 0. */
export const KCOV_DISABLE = 0x6365n;
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
 * What the kernel stores: `trace`, the PC of every coverage point in the order of execution, or `unique`, each PC
 * once (only kernels with `KCOV_UNIQUE_ENABLE`).
 */
export type KcovMode = "trace" | "unique";

/** Mode of `KCOV_ENABLE`: store the PC of every coverage point. */
export const KCOV_TRACE_PC = 0n;
/** Mode of `KCOV_ENABLE`: store the operands of comparisons; only kernels with `CONFIG_KCOV_ENABLE_COMPARISONS`. */
export const KCOV_TRACE_CMP = 1n;

/** Bytes of a word of the buffer: the kernel's `unsigned long`. */
export const WORD_BYTES = 8;

/** Smallest buffer: one count and one PC (`kcov_ioctl` in kernel/kcov.c). */
export const MIN_WORDS = 2;
/** Largest buffer: `INT_MAX / sizeof(unsigned long)`. */
export const MAX_WORDS = 268_435_455;

/** The device, in the debug file system. */
export const KCOV_PATH = "/sys/kernel/debug/kcov";
