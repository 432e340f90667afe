import {
  KCOV_ENABLE,
  KCOV_TRACE_PC,
  KCOV_UNIQUE_ENABLE,
  type KcovMode,
  WORD_BYTES,
} from "../../kcov/abi.ts";
import type { PointTable } from "./point_table.ts";

/** Takes drained points: the first `length` of `points` are numbers of a {@linkcode PointTable}. */
export type PointSink = (points: Uint32Array, length: number) => void;

const CHUNK = 16_384;
const scratch = new Uint32Array(CHUNK);

/** Memory that is shared with the kernel, and unmapped when disposed. */
export interface TraceMemory extends Disposable {
  readonly buffer: ArrayBuffer;
}

/** Words of the bitmap in `unique` mode: one bit for each of 262,144 points. */
const BITMAP_WORDS = 4096;

/**
 * One KCOV buffer, mapped here and filled by the task that it was enabled for. It is read while that task runs: the
 * kernel writes the count before the entry (`__sanitizer_cov_trace_pc` in kernel/kcov.c), so entries that were read
 * are set to 0, and a 0 found later tells an entry that is still to come.
 */
export class TraceBuffer {
  /** The open file in this process. */
  readonly fd: number;
  readonly mode: KcovMode;
  /** Size in words. */
  readonly words: number;
  readonly #memory: TraceMemory;
  readonly #halves: Uint32Array<ArrayBuffer>;
  /** Words before the count: the bitmap in `unique` mode. */
  readonly #before: number;
  /** Entry that was counted but not yet written at the last drain; 0 if none. */
  #late = 0;
  #dirty = false;
  /** Whether more than half of it was filled between two drains: a larger one would be safer. */
  crowded = false;
  /** Whether its task may run while this process does. */
  readonly #concurrent: boolean;
  /** Entries read since the bitmap was cleared, less those that were written before. */
  #recorded = 0;

  /** @param concurrent Whether the machine has several processors. */
  constructor(fd: number, memory: TraceMemory, mode: KcovMode, concurrent = false) {
    this.fd = fd;
    this.mode = mode;
    this.#concurrent = concurrent;
    this.#memory = memory;
    this.#halves = new Uint32Array(memory.buffer);
    this.words = memory.buffer.byteLength / WORD_BYTES;
    this.#before = mode === "unique" ? Math.min(BITMAP_WORDS, this.words >>> 3) : 0;
  }

  /** The request that enables the buffer, and its argument. */
  get enableRequest(): readonly [bigint, bigint] {
    return this.mode === "unique"
      ? [KCOV_UNIQUE_ENABLE, BigInt(this.#before)]
      : [KCOV_ENABLE, KCOV_TRACE_PC];
  }

  /** How many entries fit. */
  get capacity(): number {
    return this.words - this.#before - 1;
  }

  /** How many entries wait to be drained. */
  get count(): number {
    return Atomics.load(this.#halves, this.#before * 2);
  }

  /**
   * Hands all entries to `sink` and empties the buffer, so that the task goes on at its start. In `unique` mode the
   * bitmap stays: what was recorded is not recorded again until `resetSeen`.
   *
   * @returns Whether the buffer was full, so that entries may be lost.
   */
  drain(table: PointTable, sink: PointSink): boolean {
    const halves = this.#halves;
    const countAt = this.#before * 2;
    let count = Atomics.load(halves, countAt);
    if (this.#late > count) this.#read(table, sink, this.#late, this.#late);
    this.#late = 0;
    if (count === 0) return false;
    this.#dirty = true;
    this.crowded ||= count * 2 > this.capacity;
    for (let next = 1;;) {
      const end = Math.min(count, this.capacity);
      this.#read(table, sink, next, end);
      const seen = Atomics.compareExchange(halves, countAt, count, 0);
      if (seen === count) return end === this.capacity;
      next = end;
      count = seen;
    }
  }

  /**
   * In `unique` mode, clears the bitmap, so that every point is recorded again. Call it after `drain`.
   *
   * On another processor the task may be setting a bit at that moment: the kernel then writes the old bits around it
   * back (`kcov_seen` in kernel/kcov.c), and their points are not recorded again. There are more bits than entries
   * then, which the next call finds.
   *
   * @returns Whether points may have been lost so since the last call.
   */
  resetSeen(): boolean {
    if (this.#before === 0 || !this.#dirty) return false;
    const bits = this.#concurrent ? countBits(this.#halves, this.#before * 2) : 0;
    const waiting = this.count + (this.#late > 0 ? 1 : 0);
    const lost = bits > this.#recorded + waiting;
    this.#halves.fill(0, 0, this.#before * 2);
    this.#recorded = -waiting;
    this.#dirty = waiting > 0;
    return lost;
  }

  /** Empties the buffer without reading it: only while its task is stopped or gone. */
  clear(): void {
    const used = Math.min(this.count, this.capacity);
    const first = (this.#before + 1) * 2;
    this.#halves.fill(0, 0, first + used * 2);
    if (this.#late > used) this.#halves.fill(0, first, first + this.#late * 2);
    this.#late = 0;
    this.#recorded = 0;
    this.#dirty = false;
    this.crowded = false;
  }

  /** Unmaps the buffer. The descriptor is its owner's to close. */
  unmap(): void {
    this.#memory[Symbol.dispose]();
  }

  #read(table: PointTable, sink: PointSink, from: number, to: number): void {
    const halves = this.#halves;
    const first = this.#before;
    for (let at = from; at <= to; at += CHUNK) {
      const end = Math.min(at + CHUNK, to + 1);
      const length = table.numbers(halves, first + at, first + end, scratch);
      this.#recorded += length;
      if (length > 0) sink(scratch, length);
    }
    const last = (first + to) * 2;
    if (halves[last] === 0 && halves[last + 1] === 0) this.#late = to;
    else this.#late = 0;
    halves.fill(0, (first + from) * 2, last);
    if (this.#late === 0) halves.fill(0, last, last + 2);
  }
}

/** How many bits are set in the first `length` of `halves`. */
function countBits(halves: Uint32Array, length: number): number {
  let bits = 0;
  for (let at = 0; at < length; at++) {
    for (let half = halves[at]; half !== 0; half &= half - 1) bits++;
  }
  return bits;
}
