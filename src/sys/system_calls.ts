import { machineName } from "./runtime.ts";

/** Numbers in `syscall_64.tbl` of x86-64, and in `asm-generic/unistd.h`, which the other architectures share. */
const NUMBERS = { ftruncate: [77n, 46n], gettid: [186n, 178n] } as const;

/** Number of a system call that libc may have no function for; the tracer's are in src/elf/machine.ts. */
export function systemCallNumber(name: keyof typeof NUMBERS): bigint {
  return NUMBERS[name][machineName() === "x86_64" ? 0 : 1];
}
