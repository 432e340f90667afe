import { check, type Remedy } from "../sys/errno.ts";
import type { SharedMapping } from "../sys/shared_mapping.ts";
import type { LibcPart } from "../sys/types.ts";
import {
  KCOV_COLLECT,
  KCOV_COLLECT_LEAVE,
  KCOV_COLLECT_STOP,
  KCOV_COLLECT_SWITCH,
  KCOV_COLLECTOR_INIT,
  KCOV_COLLECTOR_KEEPS,
  KCOV_HEADER,
  KCOV_SCOPE_PROCESS,
  KCOV_SCOPE_THREAD,
  KCOV_SWITCH_OWN,
  KCOV_SWITCH_RENEW,
  WORD_BYTES,
} from "./abi.ts";
import { type KcovLibc, openKcov } from "./open_kcov.ts";
import type { EntryTally } from "./origin_tally.ts";

const MADV_DONTFORK = 10;
const EINVAL = 22;
/** The header and most lists of entries fit into so many words: a longer one is viewed where it is read. */
const VIEWED_WORDS = 2048;

/** What a collector calls. */
export type CollectorLibc = KcovLibc & LibcPart<"madvise">;

/** The functions of {@linkcode CollectorLibc}. */
export const COLLECTOR_FUNCTIONS = [
  "open",
  "close",
  "ioctl",
  "mmap",
  "munmap",
  "sysconf",
  "madvise",
] as const;

/** How to open a {@linkcode Collector}. */
export interface CollectorOptions {
  /** Size of the area in words: a multiple of the page size over 8. It is kernel memory that cannot be swapped. */
  readonly words: number;
  /** Processes that its tasks make keep it, whatever the tasks themselves are switched to. */
  readonly keeps?: boolean;
}

/**
 * A KCOV device that tasks, all that they start, and what the kernel puts off for them collect into: each point once for
 * each of its origins (docs/collectors.md).
 *
 * @example
 * ```ts ignore
 * using collector = Collector.open(loadLibc(), { words: 32_768 });
 * collector.collect("process");
 * execFileSync("true");
 * collector.stop();
 * const tally = new OriginTally();
 * collector.addTo(tally);
 * console.log(tally.take().pcs.length);
 * ```
 */
export class Collector implements Disposable {
  readonly words: number;
  readonly #libc: CollectorLibc;
  readonly #fd: number;
  readonly #mapping: SharedMapping;
  /** The beginning of the area as 32-bit halves, low first. */
  readonly #halves: Uint32Array;
  #closed = false;

  /**
   * Opens a device, maps its area and makes it a collector.
   *
   * @throws {RangeError} Where KCOV takes no area of such a size; before any call.
   * @throws {SyscallError} Where the kernel refuses a step, with `ENOTTY` where it has no collectors; what was opened before
   * is released.
   */
  static open(libc: CollectorLibc, { words, keeps = false }: CollectorOptions): Collector {
    const { fd, mapping } = openKcov(libc, words, "thread", VIEWED_WORDS);
    try {
      // A child does not read it, and a fork need not copy its page table.
      libc.madvise(mapping.address, BigInt(words * WORD_BYTES), MADV_DONTFORK);
      const flags = Uint32Array.of(keeps ? KCOV_COLLECTOR_KEEPS : 0, 0, 0, 0);
      const made = libc.ioctl(
        fd,
        KCOV_COLLECTOR_INIT,
        libc.addressOf(new Uint8Array(flags.buffer)),
      );
      check(libc, "ioctl(KCOV_COLLECTOR_INIT)", made, "make a collector", {
        ENOTTY: "use a kernel that has collectors, such as the embedded one",
        ENOSPC: "close other collectors",
        ENOMEM: "use a smaller area",
        otherwise: "use a kernel with the collectors of this version",
      });
      // Used behind the call, so that it is reachable up to then.
      if (flags.length === 0) throw new TypeError("A collector has flags");
      return new Collector(libc, fd, words, mapping);
    } catch (error) {
      mapping[Symbol.dispose]();
      libc.close(fd);
      throw error;
    }
  }

  private constructor(libc: CollectorLibc, fd: number, words: number, mapping: SharedMapping) {
    this.#libc = libc;
    this.#fd = fd;
    this.words = words;
    this.#mapping = mapping;
    this.#halves = new Uint32Array(mapping.buffer);
  }

  /**
   * Makes the calling thread the leader of a group that collects into this: with the other threads of its process, or
   * alone, and with all that these make from now on.
   */
  collect(scope: "thread" | "process"): void {
    const argument = scope === "process" ? KCOV_SCOPE_PROCESS : KCOV_SCOPE_THREAD;
    this.#call("KCOV_COLLECT", KCOV_COLLECT, argument, "begin to collect");
  }

  /** Has the group of the calling thread collect into this from here on; `renew` empties it first. */
  take(renew: boolean): void {
    const argument = renew ? KCOV_SWITCH_OWN | KCOV_SWITCH_RENEW : KCOV_SWITCH_OWN;
    this.#call("KCOV_COLLECT_SWITCH", KCOV_COLLECT_SWITCH, argument, "switch to a collector");
  }

  /** Has the groups of another collector collect into this one from here on. */
  takeFrom(other: Collector): void {
    const argument = BigInt(other.#fd);
    this.#call("KCOV_COLLECT_SWITCH", KCOV_COLLECT_SWITCH, argument, "switch to a collector");
  }

  /** Its groups collect nothing more, until they are switched to another; what was put off on its behalf still does. */
  stop(): void {
    this.#call("KCOV_COLLECT_STOP", KCOV_COLLECT_STOP, 0n, "end collecting");
  }

  /** The calling thread leaves its group. */
  leave(): void {
    this.#call("KCOV_COLLECT_LEAVE", KCOV_COLLECT_LEAVE, 0n, "leave a group");
  }

  /** Entries stored. */
  get count(): number {
    return Math.min(this.#word(KCOV_HEADER.count), this.words - KCOV_HEADER.words);
  }

  /** Points that found no room. */
  get lost(): number {
    return this.#word(KCOV_HEADER.lost);
  }

  /** Items that are queued on its behalf now. */
  get pending(): number {
    return this.#word(KCOV_HEADER.pending);
  }

  /** Items whose cause could not be kept: what they ran is missing. */
  get dropped(): number {
    return this.#word(KCOV_HEADER.dropped);
  }

  /** Threads and processes that were made in its name since it was renewed. */
  get tasks(): number {
    return this.#word(KCOV_HEADER.tasks);
  }

  /** While it is set, what the leader of a group runs itself is not stored here. Not a call. */
  get paused(): boolean {
    return this.#word(KCOV_HEADER.paused) !== 0;
  }

  set paused(paused: boolean) {
    Atomics.store(this.#halves, KCOV_HEADER.paused * 2, paused ? 1 : 0);
  }

  /**
   * Adds the entries from number `from` on.
   *
   * @returns Up to which number they are read: the first that is not stored yet, or the end.
   */
  addTo(tally: EntryTally, from = 0): number {
    const { words } = KCOV_HEADER;
    const start = words + from, end = words + this.count;
    const read = end * 2 <= this.#halves.length
      ? tally.add(this.#halves, start, end)
      : this.#mapping.viewed(
        (memory) => tally.add(new Uint32Array(memory), start, end),
        end * WORD_BYTES,
      );
    return read - words;
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Unmaps and closes: groups that collect into it collect nothing then. A descriptor that other code has closed is left
   * alone, as its number may be another file's by now. Does nothing the second time.
   */
  close(): void {
    if (this.#closed) return;
    const isOwn = this.#libc.ioctl(this.#fd, KCOV_COLLECT_STOP, 0n) === 0;
    this.abandon();
    if (isOwn) this.#libc.close(this.#fd);
  }

  /** Gives the memory back, and leaves the descriptor alone. */
  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapping[Symbol.dispose]();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #word(word: number): number {
    return Atomics.load(this.#halves, word * 2);
  }

  #call(name: string, request: bigint, argument: bigint, action: string): void {
    if (this.#closed) {
      throw new TypeError(`Cannot ${action}: the collector is closed: open another`);
    }
    const result = this.#libc.ioctl(this.#fd, request, argument);
    if (result === -1) check(this.#libc, `ioctl(${name})`, result, action, REMEDY);
  }
}

const REMEDY: Remedy = {
  ENOTTY: "do not close descriptors that belong to others: this one was closed and used again",
  EBADF: "do not close descriptors that belong to others",
  ESRCH: "begin to collect first",
  otherwise: "open another collector",
};

/** Whether the kernel has collectors: asked of an open device that has no buffer yet. */
export function hasCollectors(libc: LibcPart<"ioctl">, fd: number): boolean {
  // A kernel that knows the request refuses it there with EINVAL, others with ENOTTY.
  return libc.ioctl(fd, KCOV_COLLECT_STOP, 0n) === 0 || libc.errno() === EINVAL;
}
