import { KCOV_DISABLE, KCOV_INIT_TRACE, KCOV_PATH } from "../kcov/abi.ts";
import { SyscallError } from "../errors.ts";
import { errnoName } from "../sys/errno.ts";
import { cString } from "../sys/native_strings.ts";
import type { Libc } from "../sys/types.ts";
import { EPERM, ESRCH } from "./constants.ts";
import type { Ptrace } from "./ptrace.ts";
import { SystemCallInjector } from "./system_call_injector.ts";
import type { TaskMemory } from "./task_memory.ts";
import type { TaskStatus } from "./task_status.ts";
import type { TraceBuffer } from "./trace_buffer.ts";
import type { TraceBufferPool } from "./trace_buffer_pool.ts";

const AT_FDCWD = -100n;
const O_RDWR_CLOEXEC = 0o2000002n;

/** What became of an enrolment: the task's buffer, or why there is none. The task runs on either way. */
export type Enrolment =
  | { readonly buffer: TraceBuffer }
  | { readonly refused: string };

/** Has stopped tasks enable KCOV for themselves, without a trace in their memory or descriptors. */
export class TaskEnroller {
  readonly #libc: Libc;
  readonly #ptrace: Ptrace;
  readonly #pool: TraceBufferPool;
  readonly #memory: TaskMemory;
  readonly #injector: SystemCallInjector;
  readonly #supervisor: bigint;
  #began = false;

  constructor(libc: Libc, ptrace: Ptrace, memory: TaskMemory, pool: TraceBufferPool) {
    this.#libc = libc;
    this.#memory = memory;
    this.#ptrace = ptrace;
    this.#pool = pool;
    this.#injector = new SystemCallInjector(ptrace);
    this.#supervisor = BigInt(libc.getpid());
  }

  /** Wait status of the task where it ended during the last enrolment. */
  get endStatus(): number | null {
    return this.#injector.endStatus;
  }

  /** Enrols a task that stands at the return of a system call. It stays stopped: `release` lets it run on. */
  enrol(tid: number, status: TaskStatus): Enrolment {
    this.#began = this.#injector.begin(tid, status);
    if (!this.#began) return { refused: "not at a system call" };
    const result = this.#enable(tid, status);
    // What the injected calls recorded is not the task's own.
    if ("buffer" in result) result.buffer.clear();
    return result;
  }

  /**
   * Gives an enrolled task that stands at the return of a system call a larger buffer than `before`, which then is the
   * caller's. It stays stopped: `release` lets it run on.
   *
   * @returns The larger buffer, `before` where it keeps that one, or why it is not recorded any more.
   */
  enlarge(tid: number, status: TaskStatus, before: TraceBuffer): Enrolment {
    this.#began = !status.ownNamespace && this.#injector.begin(tid, status);
    if (!this.#began) return { buffer: before };
    let larger: TraceBuffer;
    try {
      larger = this.#pool.takeLarger(before);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      return { buffer: before };
    }
    if (this.#request(before, [KCOV_DISABLE, 0n]) !== 0) {
      this.#pool.drop(larger);
      return { buffer: before };
    }
    for (const buffer of [larger, before]) {
      const result = this.#request(buffer, buffer.enableRequest);
      if (result === 0) {
        if (buffer === before) this.#pool.drop(larger);
        buffer.clear();
        return { buffer };
      }
    }
    this.#pool.drop(larger);
    return { refused: "KCOV_ENABLE of a larger buffer" };
  }

  /** Puts the task back as it was, and lets it run on. */
  release(tid: number): void {
    if (this.#began) this.#injector.finish();
    else this.#ptrace.continue(tid);
  }

  /** Puts the task back as it was, still stopped. A signal that came meanwhile is to be passed when it goes on. */
  restore(): number {
    return this.#began ? this.#injector.restore() : 0;
  }

  #enable(tid: number, status: TaskStatus): Enrolment {
    // A filter may kill for a call that it does not know, and what a filter sees is the test's business.
    if (status.seccomp !== 0) return { refused: "seccomp filter" };
    let buffer: TraceBuffer | null = null;
    try {
      if (!status.ownNamespace) {
        buffer = this.#pool.take();
        const shared = this.#request(buffer, buffer.enableRequest);
        if (shared === 0) return { buffer };
        this.#pool.give(buffer);
        buffer = null;
        if (shared !== -EPERM) return { refused: `KCOV_ENABLE: ${errnoName(-shared)}` };
      }
      return this.#enableOpened(tid, status);
    } catch (error) {
      // Out of memory or descriptors here: the task must not suffer for it.
      if (error instanceof SyscallError) return { refused: `supervisor: ${error.code}` };
      throw error;
    }
  }

  /**
   * Makes a request of the device behind a buffer of the supervisor's, which the task takes through a pidfd: that needs
   * no memory of the task.
   */
  #request(buffer: TraceBuffer, request: readonly [bigint, bigint]): number {
    const injector = this.#injector;
    const { pidfd_open, pidfd_getfd, ioctl, close, close_range } =
      this.#ptrace.architecture.systemCalls;
    const pidfd = injector.call(pidfd_open, this.#supervisor, 0n);
    if (pidfd < 0) return pidfd;
    const fd = injector.call(pidfd_getfd, BigInt(pidfd), BigInt(buffer.fd), 0n);
    let result = fd;
    if (fd >= 0) result = injector.call(ioctl, BigInt(fd), ...request);
    if (fd === pidfd + 1) {
      const closed = injector.call(close_range, BigInt(pidfd), BigInt(fd), 0n);
      if (closed === 0) return result;
    }
    injector.call(close, BigInt(pidfd));
    if (fd >= 0) injector.call(close, BigInt(fd));
    return result;
  }

  /** The task opens the device itself: where it may not look at the supervisor, or has ids of its own. */
  #enableOpened(tid: number, status: TaskStatus): Enrolment {
    const injector = this.#injector;
    const { openat, ioctl, close } = this.#ptrace.architecture.systemCalls;
    const path = cString(KCOV_PATH);
    // Below the red zone of the x86-64 calling convention.
    const place = (injector.stackPointer - 1024n) & ~15n;
    const before = new Uint8Array(path.length);
    const memory = this.#memory;
    if (memory.read(tid, place, before) !== path.length) return { refused: "no stack" };
    if (memory.write(tid, place, path) !== path.length) return { refused: "no stack" };
    const fd = injector.call(openat, AT_FDCWD, place, O_RDWR_CLOEXEC, 0n);
    memory.write(tid, place, before);
    if (fd < 0) return { refused: `open ${KCOV_PATH}: ${errnoName(-fd)}` };
    let buffer: TraceBuffer | null = null;
    let result = injector.call(ioctl, BigInt(fd), KCOV_INIT_TRACE, BigInt(this.#pool.words));
    if (result === 0) {
      const own = this.#takeDescriptor(status.tgid, fd);
      if (own < 0) result = own;
      else {
        buffer = this.#pool.adopt(own);
        result = injector.call(ioctl, BigInt(fd), ...buffer.enableRequest);
      }
    }
    if (result !== -ESRCH) injector.call(close, BigInt(fd));
    if (result === 0 && buffer !== null) return { buffer };
    if (buffer !== null) this.#pool.give(buffer);
    return { refused: `KCOV_ENABLE: ${errnoName(-result)}` };
  }

  /** A descriptor here for descriptor `fd` of a process, or minus an errno. */
  #takeDescriptor(process: number, fd: number): number {
    const { pidfd_open, pidfd_getfd } = this.#ptrace.architecture.systemCalls;
    const pidfd = Number(this.#libc.syscall(pidfd_open, BigInt(process), 0n, 0n, 0n, 0n, 0n));
    if (pidfd < 0) return -this.#libc.errno();
    const taken = this.#libc.syscall(pidfd_getfd, BigInt(pidfd), BigInt(fd), 0n, 0n, 0n, 0n);
    const result = taken < 0n ? -this.#libc.errno() : Number(taken);
    this.#libc.close(pidfd);
    return result;
  }
}
