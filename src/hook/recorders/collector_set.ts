import { SyscallError } from "../../errors.ts";
import { Collector, type CollectorLibc } from "../../kcov/collector.ts";
import type { EntryTally } from "../../kcov/origin_tally.ts";

/** A stretch of the testing thread's time, in which the same tests were open: what one collector held of it. */
export class Segment<Owner> {
  readonly collector: Collector;
  /** The tests that were open. */
  readonly owners: readonly Owner[];
  /** Entries that were read. */
  #read = 0;
  /** Items that were still queued when it was read last. */
  pending = 0;
  /** Items whose cause could not be kept. */
  dropped = 0;
  /** Threads and processes that were made in its name. */
  tasks = 0;
  /** Points are missing. */
  truncated = false;

  constructor(collector: Collector, owners: readonly Owner[]) {
    this.collector = collector;
    this.owners = owners;
  }

  /** Reads what came since it was read last, into each of the tallies. */
  read(tallies: readonly EntryTally[]): void {
    const { collector } = this;
    this.pending = collector.pending;
    this.dropped = collector.dropped;
    this.tasks = collector.tasks;
    this.truncated = collector.lost > 0;
    const from = this.#read;
    for (const tally of tallies) this.#read = collector.addTo(tally, from);
  }

  /** Whether more has come. */
  get hasMore(): boolean {
    const { collector } = this;
    return collector.count > this.#read || collector.pending !== this.pending ||
      collector.dropped !== this.dropped || (collector.lost > 0) !== this.truncated;
  }

  /** Whether more may still come: from what is queued, or from tasks that live on. */
  get mayGrow(): boolean {
    return this.collector.pending > 0 || this.collector.tasks > 0;
  }
}

/** Collectors at most. */
const MOST = 8;
/** Words of an area at most: 32 MiB. */
const MOST_WORDS = 4_194_304;
/** Where there are several processors, renewing one that was in use a moment ago waits for them. */
const FEWEST = navigator.hardwareConcurrency > 1 ? 2 : 1;

/**
 * Collectors that are used in turn, so that what runs late for a test still finds its collector: each is read once more
 * before it is used again. There are more of them while much is still queued.
 */
export class CollectorSet<Owner> {
  readonly #libc: CollectorLibc;
  #words: number;
  readonly #last: (segment: Segment<Owner>) => void;
  /** Those that are in no use, the oldest use first. */
  readonly #idle: Segment<Owner>[] = [];
  #size = 0;

  /** @param last reads a segment for the last time, before its collector is emptied */
  constructor(libc: CollectorLibc, words: number, last: (segment: Segment<Owner>) => void) {
    this.#libc = libc;
    this.#words = words;
    this.#last = last;
  }

  /** A collector for a new use: nothing of what it held is needed any more. */
  next(): Collector {
    const [oldest] = this.#idle;
    const wantsMore = oldest === undefined || this.#size < FEWEST ||
      (this.#size < MOST && oldest.collector.pending > 0);
    if (wantsMore) {
      try {
        const collector = Collector.open(this.#libc, { words: this.#words, keeps: true });
        this.#size++;
        return collector;
      } catch (error) {
        if (!(error instanceof SyscallError) || oldest === undefined) throw error;
      }
    }
    this.#idle.shift();
    this.#last(oldest);
    return oldest.collector.words < this.#words ? this.#larger(oldest.collector) : oldest.collector;
  }

  /** One with more room in place of another, if there is memory for it. */
  #larger(small: Collector): Collector {
    try {
      const large = Collector.open(this.#libc, { words: this.#words, keeps: true });
      small.close();
      return large;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      return small;
    }
  }

  /**
   * Its collector collects no more, but for what comes late. A test that needs more room is rarely alone: one whose area
   * was full makes more for those that follow.
   */
  release(segment: Segment<Owner>): void {
    const isFull = segment.truncated && segment.collector.words === this.#words;
    if (isFull && this.#words < MOST_WORDS) this.#words *= 4;
    this.#idle[this.#idle.length] = segment;
  }

  /** Forgets a collector whose descriptor other code has closed. */
  forget(collector: Collector): void {
    collector.abandon();
    this.#size--;
  }

  /** Those whose last use may still bring something. */
  get idle(): readonly Segment<Owner>[] {
    return this.#idle;
  }

  /** Reads and closes all. */
  close(): void {
    for (const segment of this.#idle.splice(0)) {
      this.#last(segment);
      segment.collector.close();
    }
    this.#size = 0;
  }
}
