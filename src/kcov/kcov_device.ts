import type { Address } from "../base/address.ts";
import { KcovUnavailableError } from "../errors.ts";
import { check, syscallError } from "../sys/errno.ts";
import { loadLibc } from "../sys/load.ts";
import type { SharedMapping } from "../sys/shared_mapping.ts";
import type { Libc } from "../sys/types.ts";
import { KCOV_DISABLE, KCOV_ENABLE, KCOV_PATH, KCOV_RESET_TRACE, KCOV_TRACE_PC } from "./abi.ts";
import { type DecodedPcs, decodePcs } from "./decode_pcs.ts";
import { closeKcov, openKcov } from "./open_kcov.ts";
import type { CallSplitter } from "./split_calls.ts";
import { type TraceOrder, traceOrder } from "./trace_order.ts";

const EINVAL = 22;

/** How to open a {@linkcode KcovDevice}. */
export interface KcovDeviceOptions {
  /**
   * Size of the buffer in words: 2 to 268,435,455 and a multiple of the page size over 8. It is kernel memory that
   * cannot be swapped. Default 524,288 (4 MiB).
   */
  readonly words?: number;
  /** For tests. */
  readonly libc?: Libc;
}

/** Default size: 4 MiB, what fuzzers of the kernel found enough for nearly every program. */
const DEFAULT_WORDS = 524_288;

/**
 * The KCOV device of one thread: open, enabled and disabled any number of times, closed. KCOV records the thread that
 * enables it, so the calls between `enable` and `disable` must not leave that thread.
 *
 * @example
 * ```ts ignore
 * using device = KcovDevice.open();
 * device.enable();
 * device.reset();
 * readFileSync("/etc/hostname");
 * const count = device.count();
 * device.disable();
 * console.log(device.decode(0, count).pcs.length);
 * ```
 */
export class KcovDevice implements Disposable {
  /** Size of the buffer in words. */
  readonly words: number;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #mapping: SharedMapping;
  readonly #wordView: BigUint64Array;
  readonly #halves: Uint32Array;
  #enabled = false;
  #closed = false;

  /**
   * Opens the device, allocates its buffer and maps it.
   *
   * @throws {RangeError} Where KCOV takes no such size; before any call.
   * @throws {SyscallError} Where the kernel refuses a step; what was opened before is released.
   * @throws {KcovUnavailableError} Where libc cannot be opened.
   */
  static open(options: KcovDeviceOptions = {}): KcovDevice {
    const { words = DEFAULT_WORDS, libc = loadLibc() } = options;
    const { fd, mapping } = openKcov(libc, words);
    return new KcovDevice(libc, fd, words, mapping);
  }

  private constructor(libc: Libc, fd: number, words: number, mapping: SharedMapping) {
    this.#libc = libc;
    this.#fd = fd;
    this.words = words;
    this.#mapping = mapping;
    this.#wordView = new BigUint64Array(mapping.buffer);
    this.#halves = new Uint32Array(mapping.buffer);
  }

  /** Whether it records now. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** How many PCs the buffer holds at most. */
  get capacity(): number {
    return this.words - 1;
  }

  /**
   * Begins to record the calling thread. What the call itself records is in the buffer: `reset` comes next.
   *
   * @throws {TypeError} Where it is enabled already, or closed.
   * @throws {KcovUnavailableError} With reason `busy` where another device records this thread.
   * @throws {SyscallError} Where the kernel refuses for another reason.
   */
  enable(): void {
    this.#checkOpen("enable");
    if (this.#enabled) {
      throw new TypeError("Cannot enable coverage: it is enabled: disable it first");
    }
    const result = this.#libc.ioctl(this.#fd, KCOV_ENABLE, KCOV_TRACE_PC);
    if (result === -1) throw this.#enableError();
    this.#enabled = true;
  }

  /** Discards what was recorded so far. */
  reset(): void {
    Atomics.store(this.#wordView, 0, 0n);
  }

  /**
   * How many PCs the buffer holds, at most its capacity. A count that reaches the capacity means that PCs may have
   * been lost: the kernel drops them silently.
   */
  count(): number {
    return Math.min(Number(Atomics.load(this.#wordView, 0)), this.capacity);
  }

  /**
   * Stops recording.
   *
   * @throws {TypeError} Where it is not enabled, or closed.
   * @throws {SyscallError} Where the kernel refuses, as it does from another thread than the one that enabled.
   */
  disable(): void {
    this.#checkOpen("disable");
    if (!this.#enabled) {
      throw new TypeError("Cannot disable coverage: it is not enabled: call enable first");
    }
    const result = this.#libc.ioctl(this.#fd, KCOV_DISABLE, 0n);
    // Where the kernel refuses, the device cannot be used again, enabled or not.
    this.#enabled = false;
    check(this.#libc, "ioctl(KCOV_DISABLE)", result, "disable coverage", {
      EINVAL: "disable it from the thread that enabled it",
      ENOTTY: "do not close descriptors that belong to others: this one was closed and used again",
      EBADF: "do not close descriptors that belong to others",
      otherwise: "open a new device",
    });
  }

  /**
   * Runs `action` unrecorded, then records on. The entries of both switches are dropped, so counts taken before stay
   * right. Does nothing but run `action` where coverage is disabled.
   */
  pause<Result>(action: () => Result): Result {
    if (!this.#enabled) return action();
    const count = BigInt(this.count());
    this.disable();
    // What the call above ran is not the test's either, whoever reads the buffer meanwhile.
    Atomics.store(this.#wordView, 0, count);
    try {
      return action();
    } finally {
      this.enable();
      Atomics.store(this.#wordView, 0, count);
    }
  }

  /**
   * The distinct PCs among entries `from` (inclusive) to `to` (exclusive), counted from 0, as `count` gives them.
   * Works while enabled, after `disable`, but not after `close`.
   *
   * @throws {TypeError} Where it is closed.
   * @throws {RangeError} Where the range is not within the buffer.
   */
  decode(from: number, to: number, calls?: CallSplitter): DecodedPcs {
    this.#checkRange(from, to);
    return calls === undefined
      ? decodePcs(this.#halves, 1 + from, 1 + to)
      : calls.decode(this.#halves, 1 + from, 1 + to);
  }

  /**
   * The order of the entries that are among `pcs`.
   *
   * @throws As `decode`.
   */
  order(from: number, to: number, pcs: ArrayLike<Address>): TraceOrder {
    this.#checkRange(from, to);
    return traceOrder(this.#halves, 1 + from, 1 + to, pcs, to === this.capacity);
  }

  #checkRange(from: number, to: number): void {
    this.#checkOpen("read");
    if (!(from >= 0 && from <= to && to <= this.capacity)) {
      throw new RangeError(
        `Cannot read entries ${from} to ${to}: the buffer holds ${this.capacity}: use results of count()`,
      );
    }
  }

  /** {@linkcode hasUniqueMode} of this device. */
  hasUniqueMode(): boolean {
    this.#checkOpen("probe");
    if (this.#enabled) {
      throw new TypeError("Cannot probe the device: it is enabled: disable it first");
    }
    return hasUniqueMode(this.#libc, this.#fd);
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Disables, unmaps and closes: the reverse of opening. Each step is tried whatever became of those before; the
   * first error is thrown at the end. Does nothing the second time.
   *
   * @throws {SyscallError} Where a step was refused.
   */
  close(): void {
    if (this.#closed) return;
    const errors: unknown[] = [];
    // Closing does not stop the trace, and then nothing can: the thread would answer EBUSY until it ends.
    if (this.#enabled) attempt(errors, () => this.disable());
    this.#closed = true;
    attempt(errors, () => this.#mapping[Symbol.dispose]());
    attempt(errors, () => {
      const result = closeKcov(this.#libc, this.#fd);
      check(this.#libc, "close", result, `close ${KCOV_PATH}`, "do not close others' descriptors");
    });
    if (errors.length > 0) throw errors[0];
  }

  /**
   * Lets go of a device whose descriptor other code has closed: the number may be another file's by now, so that only
   * the memory is given back.
   *
   * @throws {SyscallError} Where the memory cannot be unmapped.
   */
  abandon(): void {
    this.#closed = true;
    this.#mapping[Symbol.dispose]();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(action: string): void {
    if (!this.#closed) return;
    throw new TypeError(`Cannot ${action} coverage: the device is closed: open a new one`);
  }

  #enableError(): Error {
    const cause = syscallError("ioctl(KCOV_ENABLE)", this.#libc.errno(), "enable coverage", {
      EBUSY: "close the other device of this thread, or end the tracer that records it",
      EINVAL: "disable it in the thread that enabled it",
      otherwise: "open a new device",
    });
    return cause.code === "EBUSY"
      ? new KcovUnavailableError("busy", cause.message, { cause })
      : cause;
  }
}

/** Whether the kernel can store each PC once (`KCOV_UNIQUE_ENABLE`): asked of an open device that traces no task. */
export function hasUniqueMode(libc: Pick<Libc, "ioctl" | "errno">, fd: number): boolean {
  // A kernel that knows the request refuses it then with EINVAL, others with ENOTTY.
  return libc.ioctl(fd, KCOV_RESET_TRACE, 0n) === 0 || libc.errno() === EINVAL;
}

function attempt(errors: unknown[], step: () => void): void {
  try {
    step();
  } catch (error) {
    errors.push(error);
  }
}
