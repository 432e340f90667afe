import { SyscallError } from "../../errors.ts";
import { KCOV_DISABLE } from "../../kcov/abi.ts";
import { errnoName } from "../../sys/errno.ts";
import { DescriptorMessage, MESSAGE_BYTES, PAIR_AT } from "../../sys/sockets/descriptor_message.ts";
import type { Libc } from "../../sys/types.ts";
import { EFAULT, EPERM } from "./constants.ts";
import type { Ptrace } from "./ptrace.ts";
import { SystemCallInjector } from "./system_call_injector.ts";
import type { TaskMemory } from "./task_memory.ts";
import type { TaskStatus } from "./task_status.ts";
import type { TraceBuffer } from "../ledger/trace_buffer.ts";
import type { TraceBufferPool } from "../ledger/trace_buffer_pool.ts";

const AF_UNIX = 1n;
const SOCK_DGRAM_CLOEXEC = 0o2000002n;
const MSG_CMSG_CLOEXEC = 0x4000_0000n;

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
    const found = this.#injector.begin(tid, status);
    this.#began = found === "held";
    if (found === "gone") return { refused: "killed before it ran" };
    if (found === "elsewhere") return { refused: "not at a system call" };
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
    this.#began = this.#injector.begin(tid, status) === "held";
    if (!this.#began) return { buffer: before };
    let larger: TraceBuffer;
    try {
      larger = this.#pool.takeLarger(before);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      return { buffer: before };
    }
    if (this.#request(tid, status, before, [KCOV_DISABLE, 0n]) !== 0) {
      this.#pool.drop(larger);
      return { buffer: before };
    }
    for (const buffer of [larger, before]) {
      const result = this.#request(tid, status, buffer, buffer.enableRequest);
      if (result === 0) {
        if (buffer === before) this.#pool.drop(larger);
        buffer.clear();
        return { buffer };
      }
    }
    this.#pool.drop(larger);
    return { refused: "KCOV_ENABLE of a larger buffer" };
  }

  /**
   * Has the only task of a process, at the return of a system call, record no more. It stays stopped, as it was.
   *
   * @returns Whether its buffer is free, and the signal to pass when it goes on.
   */
  withdraw(tid: number, status: TaskStatus, buffer: TraceBuffer): [free: boolean, signal: number] {
    this.#began = this.#injector.begin(tid, status, this.#memory) === "held";
    if (!this.#began) return [false, 0];
    const free = this.#request(tid, status, buffer, [KCOV_DISABLE, 0n]) === 0;
    return [free, this.restore()];
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
    try {
      const buffer = this.#pool.take();
      const result = this.#request(tid, status, buffer, buffer.enableRequest);
      if (result === 0) return { buffer };
      this.#pool.give(buffer);
      if (this.endStatus !== null) return { refused: "killed before it ran" };
      return { refused: `KCOV_ENABLE: ${errnoName(-result)}` };
    } catch (error) {
      // Out of memory or descriptors here: the task must not suffer for it.
      if (error instanceof SyscallError) return { refused: `supervisor: ${error.code}` };
      throw error;
    }
  }

  /** Has the task make a request of the device behind a buffer of the supervisor's: 0, or minus an errno. */
  #request(
    tid: number,
    status: TaskStatus,
    buffer: TraceBuffer,
    request: readonly [bigint, bigint],
  ): number {
    if (!status.ownNamespace) {
      const result = this.#requestTaken(buffer, request);
      // It may not look at the supervisor, as after it gave up its user.
      if (result !== -EPERM) return result;
    }
    return this.#requestSent(tid, status, buffer, request);
  }

  /** The task takes the device through a pidfd: that needs no memory of the task. */
  #requestTaken(buffer: TraceBuffer, request: readonly [bigint, bigint]): number {
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

  /**
   * The device is sent to the task over a pair of sockets that it makes. So it gets there whatever the task sees of
   * processes and files, and whoever it is.
   */
  #requestSent(
    tid: number,
    status: TaskStatus,
    buffer: TraceBuffer,
    request: readonly [bigint, bigint],
  ): number {
    const injector = this.#injector;
    const { socketpair, recvmsg, ioctl, close } = this.#ptrace.architecture.systemCalls;
    // Below the red zone of the x86-64 calling convention.
    const place = (injector.stackPointer - 1024n) & ~15n;
    const memory = this.#memory;
    const before = new Uint8Array(MESSAGE_BYTES);
    const message = new DescriptorMessage(place);
    if (memory.read(tid, place, before) !== MESSAGE_BYTES) return -EFAULT;
    if (memory.write(tid, place, message.bytes) !== MESSAGE_BYTES) return -EFAULT;
    let result = injector.call(socketpair, AF_UNIX, SOCK_DGRAM_CLOEXEC, 0n, place + PAIR_AT);
    const opened: number[] = [];
    if (result === 0) {
      memory.read(tid, place, message.bytes);
      opened.push(...message.pair);
      result = this.#send(status.tgid, opened[1], buffer.fd);
      if (result >= 0) {
        result = injector.call(recvmsg, BigInt(opened[0]), place, MSG_CMSG_CLOEXEC);
      }
      if (result >= 0) {
        memory.read(tid, place, message.bytes);
        opened.push(message.descriptor);
        result = injector.call(ioctl, BigInt(message.descriptor), ...request);
      }
    }
    for (const fd of opened) injector.call(close, BigInt(fd));
    memory.write(tid, place, before);
    return result;
  }

  /** Sends a descriptor of this process into a socket of another: minus an errno where that fails. */
  #send(process: number, socket: number, fd: number): number {
    const own = this.#takeDescriptor(process, socket);
    if (own < 0) return own;
    const libc = this.#libc;
    const bytes = new Uint8Array(MESSAGE_BYTES);
    const address = libc.addressOf(bytes);
    bytes.set(new DescriptorMessage(address, fd).bytes);
    const { sendmsg } = this.#ptrace.architecture.systemCalls;
    const sent = libc.syscall(sendmsg, BigInt(own), address, 0n, 0n, 0n, 0n);
    const result = sent < 0n ? -libc.errno() : Number(sent);
    libc.close(own);
    return result;
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
