import { KcovUnavailableError, SyscallError } from "../../errors.ts";
import type { Collector, CollectorLibc } from "../../kcov/collector.ts";
import { CollectorSet, type Segment } from "./collector_set.ts";

/** Words of a collector's area: 512 KiB, more than 65,000 points. */
export const POINT_WORDS = 65_536;
/** 2 MiB, more than 65,000 comparisons. */
const COMPARISON_WORDS = 262_144;

/** How to make {@linkcode CollectorSets}. */
export interface CollectorSetsOptions<Owner> {
  /** Opens libc. */
  readonly libc: () => CollectorLibc;
  /** Words of an area; by default what suits. */
  readonly words: number | undefined;
  /** Reads a segment for the last time, before its collector is emptied. */
  readonly last: (segment: Segment<Owner>) => void;
}

/** Collectors of points, and those of comparisons, both made on first use. */
export class CollectorSets<Owner> {
  readonly #options: CollectorSetsOptions<Owner>;
  #points: CollectorSet<Owner> | undefined;
  #comparisons: CollectorSet<Owner> | undefined;

  constructor(options: CollectorSetsOptions<Owner>) {
    this.#options = options;
  }

  /**
   * A collector for a new use.
   *
   * @throws {KcovUnavailableError} Where those of the kernel do not know comparisons, and these are wanted.
   * @throws {SyscallError} Where none can be opened.
   */
  next(compares: boolean): Collector {
    try {
      return this.#of(compares).next();
    } catch (cause) {
      if (!compares || !(cause instanceof SyscallError) || cause.code !== "EINVAL") throw cause;
      throw new KcovUnavailableError("not-built-in", cause.message, { cause });
    }
  }

  /** Its collector collects no more, but for what comes late. */
  release(segment: Segment<Owner>): void {
    this.#of(segment.collector.compares).release(segment);
  }

  /** Forgets a collector whose descriptor other code has closed. */
  forget(collector: Collector): void {
    this.#of(collector.compares).forget(collector);
  }

  /** Those whose last use may still bring something. */
  get idle(): readonly Segment<Owner>[] {
    return [...this.#points?.idle ?? [], ...this.#comparisons?.idle ?? []];
  }

  /** Reads and closes all. A later use makes others. */
  close(): void {
    this.#points?.close();
    this.#comparisons?.close();
    this.#points = this.#comparisons = undefined;
  }

  #of(compares: boolean): CollectorSet<Owner> {
    const { libc, words, last } = this.#options;
    if (compares) {
      const size = { words: words ?? COMPARISON_WORDS, compares };
      return this.#comparisons ??= new CollectorSet(libc(), size, last);
    }
    return this.#points ??= new CollectorSet(libc(), { words: words ?? POINT_WORDS }, last);
  }
}

/** Why a thread cannot be recorded any more. */
export function closedBy(cause: SyscallError): KcovUnavailableError {
  return new KcovUnavailableError(
    "busy",
    "A test has closed the coverage device, and this thread cannot open another: " +
      "let tests close only descriptors that they opened",
    { cause },
  );
}
