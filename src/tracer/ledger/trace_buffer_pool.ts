import { KcovUnavailableError } from "../../errors.ts";
import { KCOV_YIELD, type KcovMode } from "../../kcov/abi.ts";
import { hasUniqueMode } from "../../kcov/kcov_device.ts";
import { askKcov, closeKcov, openKcov } from "../../kcov/open_kcov.ts";
import type { Libc } from "../../sys/types.ts";
import { TraceBuffer } from "./trace_buffer.ts";

const _SC_NPROCESSORS_ONLN = 84;

/** Buffers kept for the next task. In a user-mode kernel a page of one may be a mapping of the host's. */
const KEPT = 24;

/** How much larger the next buffer of a busy task is, and how large it gets. */
const GROWTH = 4;
const MOST_WORDS = 1 << 20;
/** Words of all grown buffers together: in a user-mode kernel half of the mappings that its host allows a process. */
const MOST_GROWN_WORDS = 1 << 24;

/** How a run's buffers are made. */
export interface TraceBufferOptions {
  /** `auto`: `unique` where the device has it, else `trace`. */
  readonly mode: KcovMode | "auto";
  /** Size of a buffer in words; by default what suits the mode, and more for busy tasks where all entries are stored. */
  readonly words?: number | undefined;
}

/**
 * Opens KCOV buffers, and keeps those of ended tasks for new ones: an ended task leaves its device initialised and
 * disabled (`kcov_task_exit` in kernel/kcov.c), so that the next can enable it, and nothing is allocated or mapped.
 */
export class TraceBufferPool {
  readonly mode: KcovMode;
  readonly words: number;
  readonly #libc: Libc;
  readonly #concurrent: boolean;
  readonly #free: TraceBuffer[] = [];
  readonly #grows: boolean;
  #grownWords = 0;

  /**
   * Opens the device to find its modes.
   *
   * @throws {SyscallError} Where it cannot be opened.
   * @throws {KcovUnavailableError} Where `unique` was asked for and the kernel lacks it.
   */
  constructor(libc: Libc, options: TraceBufferOptions) {
    this.#libc = libc;
    this.#concurrent = libc.sysconf(_SC_NPROCESSORS_ONLN) > 1n;
    const known = askKcov(libc, (fd) => hasUniqueMode(libc, fd));
    if (options.mode === "unique" && !known) {
      throw new KcovUnavailableError(
        "not-built-in",
        "Cannot record each point once: this kernel lacks KCOV_UNIQUE_ENABLE: use the mode trace or auto",
      );
    }
    this.mode = options.mode === "auto" ? (known ? "unique" : "trace") : options.mode;
    this.words = options.words ?? (this.mode === "unique" ? 32_768 : 131_072);
    this.#grows = this.mode === "trace" && options.words === undefined;
  }

  /**
   * An empty buffer.
   *
   * @throws {SyscallError} Where the kernel has no memory or descriptor for one.
   */
  take(): TraceBuffer {
    return this.#free.pop() ?? this.#make(this.words);
  }

  /** Whether a task with this buffer should get a larger one. */
  canGrow(buffer: TraceBuffer): boolean {
    return this.#grows && buffer.crowded && buffer.words < MOST_WORDS &&
      this.#grownWords + buffer.words * GROWTH <= MOST_GROWN_WORDS;
  }

  /**
   * An empty buffer that is larger than `buffer`.
   *
   * @throws {SyscallError} As `take`.
   */
  takeLarger(buffer: TraceBuffer): TraceBuffer {
    const larger = this.#make(Math.min(buffer.words * GROWTH, MOST_WORDS));
    this.#grownWords += larger.words;
    return larger;
  }

  #make(words: number): TraceBuffer {
    const { fd, mapping } = openKcov(this.#libc, words, "tracer");
    // A program that records itself is to find KCOV free. Other kernels than the embedded one do not know the request.
    this.#libc.ioctl(fd, KCOV_YIELD, 0n);
    return new TraceBuffer(fd, mapping, this.mode, this.#concurrent);
  }

  /** Takes back the buffer of a task that ended or never enabled it. */
  give(buffer: TraceBuffer): void {
    if (this.#free.length < KEPT && buffer.words === this.words) {
      buffer.clear();
      this.#free.push(buffer);
    } else {
      this.drop(buffer);
    }
  }

  /** Releases a buffer for good. */
  drop(buffer: TraceBuffer): void {
    if (buffer.words > this.words) this.#grownWords -= buffer.words;
    buffer.unmap();
    closeKcov(this.#libc, buffer.fd);
  }
}
