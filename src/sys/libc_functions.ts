/** How a value crosses the boundary to C. */
export type NativeType = "i32" | "i64" | "u64" | "buffer" | "void";

/** One C function: how to call it, and whether some libc lacks it. */
export interface NativeFunction {
  readonly parameters: readonly Exclude<NativeType, "void">[];
  readonly result: Exclude<NativeType, "buffer">;
  /** Some libc or architecture lacks it: the loaded function is then `null`. */
  readonly optional?: true;
}

/**
 * Every libc function that this library calls, as 64-bit Linux declares it. `buffer` is memory that JavaScript
 * holds (or `null`); an address that JavaScript only passes on is `u64`. `ssize_t` results are read as `i32`: the
 * kernel moves at most 0x7ffff000 bytes in one call (`MAX_RW_COUNT`), so the low half holds them and -1 whole,
 * and no bigint is made. Variadic functions (`open`, `ioctl`, `ptrace`, `syscall`) take integer
 * arguments in the same registers as others in the Linux calling conventions of x86-64, arm64 and riscv64.
 */
export const LIBC_FUNCTIONS = {
  __errno_location: { parameters: [], result: "u64" },

  // Descriptors
  open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags
      "i32", // mode_t mode
    ],
    result: "i32",
  },
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "u64", // size_t count
    ],
    result: "i32",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "u64", // size_t count
    ],
    result: "i32",
  },
  pread: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "u64", // size_t count
      "i64", // off_t offset
    ],
    result: "i32",
  },
  pwrite: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "u64", // size_t count
      "i64", // off_t offset
    ],
    result: "i32",
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "u64", // unsigned long request
      "u64", // unsigned long argument
    ],
    result: "i32",
  },
  fstat: { // glibc 2.33, musl
    parameters: [
      "i32", // int fd
      "buffer", // struct stat *buf (144 bytes at most)
    ],
    result: "i32",
    optional: true,
  },
  poll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t count
      "i32", // int timeout, milliseconds
    ],
    result: "i32",
  },

  // Memory
  mmap: {
    parameters: [
      "u64", // void *address
      "u64", // size_t length
      "i32", // int protection
      "i32", // int flags
      "i32", // int fd
      "i64", // off_t offset
    ],
    result: "u64",
  },
  munmap: {
    parameters: [
      "u64", // void *address
      "u64", // size_t length
    ],
    result: "i32",
  },
  madvise: {
    parameters: [
      "u64", // void *address
      "u64", // size_t length
      "i32", // int advice
    ],
    result: "i32",
  },
  sysconf: {
    parameters: ["i32"], // int name
    result: "i64",
  },

  // Processes and threads
  getpid: { parameters: [], result: "i32" },
  getppid: { parameters: [], result: "i32" },
  gettid: { parameters: [], result: "i32", optional: true }, // glibc 2.30, musl 1.2
  kill: {
    parameters: [
      "i32", // pid_t pid
      "i32", // int signal
    ],
    result: "i32",
  },
  signal: {
    parameters: [
      "i32", // int signal
      "u64", // sighandler_t handler
    ],
    result: "u64",
  },
  ptrace: {
    parameters: [
      "i32", // enum __ptrace_request request
      "i32", // pid_t pid
      "u64", // void *address
      "u64", // void *data
    ],
    result: "i64",
  },
  waitpid: {
    parameters: [
      "i32", // pid_t pid
      "buffer", // int *status
      "i32", // int options
    ],
    result: "i32",
  },
  posix_spawn: {
    parameters: [
      "buffer", // pid_t *pid
      "buffer", // const char *path
      "buffer", // const posix_spawn_file_actions_t *actions
      "buffer", // const posix_spawnattr_t *attributes
      "buffer", // char *const argv[]
      "buffer", // char *const envp[]
    ],
    result: "i32", // an errno value, not -1
  },
  posix_spawnattr_init: {
    parameters: ["buffer"], // posix_spawnattr_t *attributes (336 bytes)
    result: "i32",
  },
  posix_spawnattr_setflags: {
    parameters: [
      "buffer", // posix_spawnattr_t *attributes
      "i32", // short flags
    ],
    result: "i32",
  },
  posix_spawnattr_setsigdefault: {
    parameters: [
      "buffer", // posix_spawnattr_t *attributes
      "buffer", // const sigset_t *signals (128 bytes)
    ],
    result: "i32",
  },
  posix_spawnattr_destroy: {
    parameters: ["buffer"], // posix_spawnattr_t *attributes
    result: "i32",
  },

  // Anything that libc has no function for
  syscall: {
    parameters: [
      "i64", // long number
      "u64", // the arguments, as many as the call takes; the rest 0n
      "u64",
      "u64",
      "u64",
      "u64",
      "u64",
    ],
    result: "i64",
  },
} as const satisfies Readonly<Record<string, NativeFunction>>;

/** The functions of the table with these names, or all. */
export function namedFunctions(names?: readonly string[]): [string, NativeFunction][] {
  const all = Object.entries<NativeFunction>(LIBC_FUNCTIONS);
  return names === undefined ? all : all.filter(([name]) => names.includes(name));
}
