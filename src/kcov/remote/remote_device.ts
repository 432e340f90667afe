import { KcovUnavailableError } from "../../errors.ts";
import { syscallError } from "../../sys/errno.ts";
import type { SharedMapping } from "../../sys/shared_mapping.ts";
import { KCOV_DISABLE, KCOV_REMOTE_ENABLE } from "../abi.ts";
import { type DecodedPcs, decodePcs } from "../decode_pcs.ts";
import { closeKcov, type KcovLibc, openKcov } from "../open_kcov.ts";
import { busHandles, newCommonHandle, type RemoteSource } from "./remote_sources.ts";

const EEXIST = 17;
/** Handles of one's own that are tried. */
const MOST_TRIES = 16;
/** `struct kcov_remote_arg` without its handles. */
const HEADER_BYTES = 24;

/** How to open a {@linkcode RemoteDevice}. */
export interface RemoteDeviceOptions {
  readonly sources: readonly RemoteSource[];
  /** Size of the buffer in words, as of {@linkcode KcovDevice}. */
  readonly words?: number;
  /** Words of the buffer that each stretch of work fills before it is appended: PCs beyond are lost. */
  readonly areaWords?: number;
}

const DEFAULT_WORDS = 1_048_576;
const DEFAULT_AREA_WORDS = 262_144;

/**
 * A KCOV device with the coverage of work that the kernel's own tasks do for its sources, while it is enabled. The kernel
 * appends it when a stretch of work ends. It is the calling thread's: that has the handle that its system calls pass on.
 */
export class RemoteDevice implements Disposable {
  readonly sources: readonly RemoteSource[];
  readonly words: number;
  readonly #libc: KcovLibc;
  readonly #fd: number;
  readonly #mapping: SharedMapping;
  readonly #wordView: BigUint64Array;
  readonly #halves: Uint32Array;
  readonly #areaWords: number;
  #enabled = false;
  #closed = false;

  /**
   * Opens the device and maps its buffer.
   *
   * @throws {RangeError} Where there is no source, or KCOV takes no such size; before any call.
   * @throws {SyscallError} Where the kernel refuses a step.
   */
  static open(libc: KcovLibc, options: RemoteDeviceOptions): RemoteDevice {
    const { sources, words = DEFAULT_WORDS, areaWords = DEFAULT_AREA_WORDS } = options;
    if (sources.length === 0) {
      throw new RangeError("Remote coverage has no source: name common, or usb:N for USB bus N");
    }
    // With none the kernel warns, and has nothing to write to.
    if (!(Number.isInteger(areaWords) && areaWords >= 2)) {
      throw new RangeError(`Cannot use an area of ${areaWords} words: use 2 or more`);
    }
    const { fd, mapping } = openKcov(libc, words);
    return new RemoteDevice(libc, fd, mapping, { sources, words, areaWords });
  }

  private constructor(
    libc: KcovLibc,
    fd: number,
    mapping: SharedMapping,
    { sources, words, areaWords }: Required<RemoteDeviceOptions>,
  ) {
    this.#libc = libc;
    this.#fd = fd;
    this.#mapping = mapping;
    this.#wordView = new BigUint64Array(mapping.buffer);
    this.#halves = new Uint32Array(mapping.buffer);
    this.sources = sources;
    this.words = words;
    this.#areaWords = areaWords;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** How many PCs the buffer holds at most. */
  get capacity(): number {
    return this.words - 1;
  }

  /**
   * Begins to record. A common handle that another process has is replaced by another.
   *
   * @throws {TypeError} Where it is enabled already, or closed.
   * @throws {KcovUnavailableError} With reason `busy` where this thread has a device already that this one cannot be
   * beside, or another process records the bus.
   * @throws {SyscallError} Where the kernel refuses for another reason.
   */
  enable(): void {
    if (this.#closed || this.#enabled) {
      throw new TypeError(
        `Cannot enable remote coverage: it is ${this.#closed ? "closed" : "enabled"} already`,
      );
    }
    for (let tries = 1;; tries++) {
      const argument = this.#argument();
      const result = this.#libc.ioctl(
        this.#fd,
        KCOV_REMOTE_ENABLE,
        this.#libc.addressOf(argument),
      );
      // Used behind the call, so that it is reachable up to then.
      if (result === 0 && argument.length > 0) break;
      const errno = this.#libc.errno();
      if (errno === EEXIST && this.sources.includes("common") && tries < MOST_TRIES) continue;
      throw this.#error(errno);
    }
    this.#enabled = true;
  }

  #argument(): Uint8Array<ArrayBuffer> {
    const handles = busHandles(this.sources);
    const bytes = new Uint8Array(HEADER_BYTES + 8 * handles.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, this.#areaWords, true);
    view.setUint32(8, handles.length, true);
    if (this.sources.includes("common")) view.setBigUint64(16, newCommonHandle(), true);
    handles.forEach((handle, at) => view.setBigUint64(HEADER_BYTES + 8 * at, handle, true));
    return bytes;
  }

  #error(errno: number): Error {
    const cause = syscallError("ioctl(KCOV_REMOTE_ENABLE)", errno, "enable remote coverage", {
      EBUSY: "this kernel has one device for a thread: record its own coverage in another run",
      EEXIST: `another program records one of ${this.sources.join(", ")}: end it`,
      EINVAL: `the kernel takes no handle of one of ${this.sources.join(", ")}: leave it out`,
      ENOTTY: "use a kernel from Linux 5.5 on",
      otherwise: "open a new device",
    });
    return cause.code === "EBUSY" || cause.code === "EEXIST"
      ? new KcovUnavailableError("busy", cause.message, { cause })
      : cause;
  }

  /** Stops recording, and takes the thread's handle back. */
  disable(): void {
    if (!this.#enabled) return;
    this.#enabled = false;
    if (this.#libc.ioctl(this.#fd, KCOV_DISABLE, 0n) === 0) return;
    throw syscallError("ioctl(KCOV_DISABLE)", this.#libc.errno(), "disable remote coverage", {
      EINVAL: "disable it from the thread that enabled it",
      otherwise: "open a new device",
    });
  }

  /** Discards what was recorded so far. */
  reset(): void {
    Atomics.store(this.#wordView, 0, 0n);
  }

  /** How many PCs the buffer holds; at its capacity some may have been lost. */
  count(): number {
    return Math.min(Number(Atomics.load(this.#wordView, 0)), this.capacity);
  }

  /** The distinct PCs among entries `from` (inclusive) to `to` (exclusive), counted from 0. */
  decode(from: number, to: number): DecodedPcs {
    if (this.#closed) throw new TypeError("Cannot read remote coverage: the device is closed");
    return decodePcs(this.#halves, 1 + from, 1 + to);
  }

  /** Disables, unmaps and closes. Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    try {
      this.disable();
    } finally {
      this.#closed = true;
      this.#mapping[Symbol.dispose]();
      closeKcov(this.#libc, this.#fd);
    }
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
