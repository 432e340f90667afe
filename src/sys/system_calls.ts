import { machineName } from "./runtime.ts";

// Flags of open(2), as `include/uapi/asm-generic/fcntl.h` has them for x86-64, arm64 and riscv64.

export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_APPEND = 0o2000;
export const O_CLOEXEC = 0o2000000;

/** Numbers in `syscall_64.tbl` of x86-64, and in `asm-generic/unistd.h`, which the other architectures share. */
const NUMBERS = {
  accept4: [288n, 242n],
  bind: [49n, 200n],
  connect: [42n, 203n],
  ftruncate: [77n, 46n],
  getsockopt: [55n, 209n],
  gettid: [186n, 178n],
  listen: [50n, 201n],
  recvmsg: [47n, 212n],
  sendmsg: [46n, 211n],
  setsockopt: [54n, 208n],
  socket: [41n, 198n],
  statfs: [137n, 43n],
  sync_file_range: [277n, 84n],
} as const;

/** Number of a system call that libc may have no function for; the tracer's are in src/elf/machine.ts. */
export function systemCallNumber(name: keyof typeof NUMBERS): bigint {
  return NUMBERS[name][machineName() === "x86_64" ? 0 : 1];
}
