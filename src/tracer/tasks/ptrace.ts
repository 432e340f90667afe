import type { Tracing } from "../../elf/machine.ts";
import { check } from "../../sys/errno.ts";
import type { Libc } from "../../sys/types.ts";
import * as linux from "./constants.ts";

const SIGINFO_BYTES = 128;

/**
 * The ptrace requests that the supervisor needs, without allocation in the common ones. A request on a task that
 * was killed meanwhile answers `false`: its end is reported by `wait` soon after.
 */
export class Ptrace {
  readonly architecture: Tracing;
  readonly #libc: Libc;
  readonly #mainline: boolean;
  #yields = false;
  readonly #status = new Int32Array(1);
  readonly #statusBytes = new Uint8Array(this.#status.buffer);
  readonly #word = new BigUint64Array(1);
  readonly #wordBytes = new Uint8Array(this.#word.buffer);
  readonly #wordAddress: bigint;
  readonly #signalInfo = new DataView(new ArrayBuffer(SIGINFO_BYTES));
  readonly #signalInfoAddress: bigint;
  /** `struct iovec`. */
  readonly #vectors = new BigUint64Array(2);
  readonly #vectorsAddress: bigint;

  /** @param mainline Whether to trace as on a kernel without the patches of src/build/recipe. */
  constructor(libc: Libc, architecture: Tracing, mainline = false) {
    this.#mainline = mainline;
    this.#libc = libc;
    this.architecture = architecture;
    this.#wordAddress = libc.addressOf(this.#wordBytes);
    this.#signalInfoAddress = libc.addressOf(new Uint8Array(this.#signalInfo.buffer));
    this.#vectorsAddress = libc.addressOf(new Uint8Array(this.#vectors.buffer));
  }

  /** Status of the task that `wait` returned last. */
  get status(): number {
    return this.#status[0];
  }

  /** Waits for `tid`, or any task with -1: its id, 0 where `WNOHANG` found none, or minus an errno. */
  wait(tid: number, options = 0): number {
    const result = this.#libc.waitpid(tid, this.#statusBytes, linux.WAIT_ALL | options);
    return result === -1 ? -this.#libc.errno() : result;
  }

  /**
   * Whether the kernel gives tasks to another tracer that wants them, and tells of it. It then hides this tracer too: a
   * task's signals are not reported, but for those that the tracer needs.
   */
  get yields(): boolean {
    return this.#yields;
  }

  /**
   * Starts to trace a process that is stopped: one that yields, where the kernel can.
   *
   * @throws {SyscallError} Where the kernel refuses.
   */
  seize(tid: number, options: number): void {
    const seize = (all: number): bigint =>
      this.#libc.ptrace(linux.PTRACE_SEIZE, tid, 0n, BigInt(all));
    let result = seize(this.#mainline ? options : options | linux.PTRACE_O_YIELD);
    this.#yields = result === 0n && !this.#mainline;
    // What PTRACE_SEIZE answers to an option that it does not know.
    if (result !== 0n && this.#libc.errno() === linux.EIO) result = seize(options);
    check(this.#libc, "ptrace(PTRACE_SEIZE)", result, "trace the command", {
      EPERM:
        "run as root with CAP_SYS_PTRACE, outside any other tracer, and with kernel.yama.ptrace_scope below 3",
      otherwise: "use --scope thread",
    });
  }

  resume(request: number, tid: number, signal = 0): boolean {
    return this.#libc.ptrace(request, tid, 0n, BigInt(signal)) === 0n;
  }

  continue(tid: number, signal = 0): boolean {
    return this.resume(linux.PTRACE_CONT, tid, signal);
  }

  /** Leaves a task in its group-stop, to be told when that ends. */
  listen(tid: number): boolean {
    return this.resume(linux.PTRACE_LISTEN, tid);
  }

  interrupt(tid: number): boolean {
    return this.resume(linux.PTRACE_INTERRUPT, tid);
  }

  detach(tid: number, signal = 0): boolean {
    return this.resume(linux.PTRACE_DETACH, tid, signal);
  }

  /** What a `PTRACE_EVENT_…` stop tells: the new task's id, or the former id of one that ran `execve`; 0 if gone. */
  eventMessage(tid: number): number {
    const request = linux.PTRACE_GETEVENTMSG;
    const result = this.#libc.ptrace(request, tid, 0n, this.#wordAddress);
    return result === 0n ? Number(this.#word[0]) : 0;
  }

  /** The `siginfo_t` of a signal-delivery-stop, valid until the next call; `null` if the task is gone. */
  signalInfo(tid: number): DataView | null {
    const request = linux.PTRACE_GETSIGINFO;
    const result = this.#libc.ptrace(request, tid, 0n, this.#signalInfoAddress);
    return result === 0n ? this.#signalInfo : null;
  }

  /** Replaces what `signalInfo` read. */
  setSignalInfo(tid: number, info: Uint8Array): boolean {
    new Uint8Array(this.#signalInfo.buffer).set(info);
    const request = linux.PTRACE_SETSIGINFO;
    return this.#libc.ptrace(request, tid, 0n, this.#signalInfoAddress) === 0n;
  }

  /** The signal mask of a stopped task. */
  setSignalMask(tid: number, mask: bigint): boolean {
    this.#word[0] = mask;
    const request = linux.PTRACE_SETSIGMASK;
    return this.#libc.ptrace(request, tid, 8n, this.#wordAddress) === 0n;
  }

  /** Moves the general registers between the stopped task and `registers`. */
  getRegisters(tid: number, registers: BigUint64Array): boolean {
    return this.#moveRegisters(
      linux.PTRACE_GETREGS,
      linux.PTRACE_GETREGSET,
      tid,
      registers,
    );
  }

  setRegisters(tid: number, registers: BigUint64Array): boolean {
    return this.#moveRegisters(
      linux.PTRACE_SETREGS,
      linux.PTRACE_SETREGSET,
      tid,
      registers,
    );
  }

  #moveRegisters(plain: number, set: number, tid: number, registers: BigUint64Array): boolean {
    const address = this.#libc.addressOf(new Uint8Array(registers.buffer));
    if (this.architecture.hasGetRegisters) {
      return this.#libc.ptrace(plain, tid, 0n, address) === 0n;
    }
    this.#vectors[0] = address;
    this.#vectors[1] = BigInt(registers.byteLength);
    const kind = BigInt(linux.NT_PRSTATUS);
    return this.#libc.ptrace(set, tid, kind, this.#vectorsAddress) === 0n;
  }

  /** arm64: makes the stopped task's interrupted system call one that is not restarted. */
  dropSystemCall(tid: number): void {
    this.#word[0] = 0xffff_ffffn; // int -1, NO_SYSCALL
    this.#vectors[0] = this.#wordAddress;
    this.#vectors[1] = 4n;
    const kind = BigInt(linux.NT_ARM_SYSTEM_CALL);
    this.#libc.ptrace(linux.PTRACE_SETREGSET, tid, kind, this.#vectorsAddress);
  }

  /**
   * Whether the code at `address` is `bytes`, at most eight. One request, where `TaskMemory` takes three calls.
   */
  codeIs(tid: number, address: bigint, bytes: Uint8Array): boolean {
    const number = this.architecture.systemCalls.ptrace;
    const request = BigInt(linux.PTRACE_PEEKTEXT);
    const own = this.#wordAddress;
    if (this.#libc.syscall(number, request, BigInt(tid), address, own, 0n, 0n) !== 0n) return false;
    return bytes.every((byte, index) => byte === this.#wordBytes[index]);
  }
}
