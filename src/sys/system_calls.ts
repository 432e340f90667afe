import { machineName } from "./runtime.ts";
import type { LibcFunctions, NativeBuffer, NativeMemory } from "./types.ts";

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
  close: [3n, 57n],
  connect: [42n, 203n],
  fstat: [5n, 80n],
  ftruncate: [77n, 46n],
  getpid: [39n, 172n],
  getsockopt: [55n, 209n],
  gettid: [186n, 178n],
  listen: [50n, 201n],
  madvise: [28n, 233n],
  mmap: [9n, 222n],
  munmap: [11n, 215n],
  openat: [257n, 56n],
  ppoll: [271n, 73n],
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

const AT_FDCWD = -100n;

/** Functions of libc that are one system call each. */
export type NumberedFunctions = Pick<
  LibcFunctions,
  "open" | "close" | "fstat" | "poll" | "mmap" | "munmap" | "madvise" | "getpid"
>;

/**
 * Functions of libc in terms of its `syscall`, for what is called a few times: to open a function takes a runtime longer
 * than to call it.
 */
export function numberedFunctions(
  syscall: LibcFunctions["syscall"],
  { addressOf }: Pick<NativeMemory, "addressOf">,
): NumberedFunctions {
  function call(name: keyof typeof NUMBERS, ...values: (bigint | number)[]): bigint {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
    const number = systemCallNumber(name);
    return syscall(number, BigInt(a), BigInt(b), BigInt(c), BigInt(d), BigInt(e), BigInt(f));
  }
  /** A call with memory of JavaScript's, which is used behind the call, so that it is reachable up to then. */
  function callWith(
    buffer: NativeBuffer,
    name: keyof typeof NUMBERS,
    values: (address: bigint) => (bigint | number)[],
  ): number {
    const result = Number(call(name, ...values(buffer === null ? 0n : addressOf(buffer))));
    return buffer !== null && buffer.length < 0 ? -1 : result;
  }
  return {
    open: (path, flags, mode) =>
      callWith(path, "openat", (address) => [AT_FDCWD, address, flags, mode]),
    close: (fd) => Number(call("close", fd)),
    fstat: (fd, stat) => callWith(stat, "fstat", (address) => [fd, address]),
    poll(fds, count, timeoutMs) {
      const seconds = Math.floor(timeoutMs / 1000);
      const time = new BigInt64Array(2);
      time[0] = BigInt(seconds);
      time[1] = BigInt(timeoutMs - seconds * 1000) * 1_000_000n;
      const limit = timeoutMs < 0 ? null : new Uint8Array(time.buffer);
      return callWith(limit, "ppoll", (end) => {
        return [fds === null ? 0n : addressOf(fds), count, end, 0, 0];
      });
    },
    mmap: (...values) => BigInt.asUintN(64, call("mmap", ...values)),
    munmap: (...values) => Number(call("munmap", ...values)),
    madvise: (...values) => Number(call("madvise", ...values)),
    getpid: () => Number(call("getpid")),
  };
}
