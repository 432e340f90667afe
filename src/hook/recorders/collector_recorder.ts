import { KcovUnavailableError, SyscallError } from "../../errors.ts";
import { Collector, COLLECTOR_FUNCTIONS, type CollectorLibc } from "../../kcov/collector.ts";
import { OriginTally } from "../../kcov/origin_tally.ts";
import { NO_CALLBACKS } from "../../kernel/kcov_availability.ts";
import type { BegunTest, TestRecord } from "../../record/test_record.ts";
import { loadLibcPart } from "../../sys/load.ts";
import { runtimeName } from "../../sys/runtime.ts";
import type { LibcPart } from "../../sys/types.ts";
import { commonPoints } from "../../tracer/ledger/common_points.ts";
import { type CoverageSettings, coverageSettings } from "../coverage_settings.ts";
import { CollectedTest, isShared } from "./collected_test.ts";
import { CollectorSet, Segment } from "./collector_set.ts";
import { atEndOfFile } from "./end_of_file.ts";
import type { RecordedPoints, Recorder, TestEnd, TestStart } from "./recorder.ts";
import { explain, turnedOff } from "./thread_recorder.ts";
import { type RecordsLibc, ThreadRecords } from "./thread_records.ts";

/** 1 MiB: more than 130,000 entries. */
const DEFAULT_WORDS = 131_072;
/** How long the end of a file waits for what is still queued, in milliseconds. */
const LATE_MS = 100;
const NO_HITS = new Uint32Array(0);

/** What recording by collectors calls. */
export type RecorderLibc = CollectorLibc & RecordsLibc & LibcPart<"poll">;

/** How to make a {@linkcode CollectorRecorder}. */
export interface CollectorRecorderOptions {
  readonly settings?: CoverageSettings;
  /** Opens libc; tests give another. */
  readonly open?: () => RecorderLibc;
  /** Several threads of this process run tests at once: other threads than these may work for any of them. */
  readonly threadsShared?: boolean;
  /** Whether the empty tests of this process are to be recorded. */
  readonly baseline?: boolean;
}

/**
 * Records what the calling thread's tests cause, with collectors: all threads and processes, and what the kernel puts
 * off for them. The thread's group collects into the collector of the tests that are open, and outside of tests into one
 * of its own. Where tests overlap, each has all that ran while it was open.
 */
export class CollectorRecorder implements Recorder<CollectedTest> {
  readonly hasHits = false;
  readonly hasSteps = true;
  readonly #settings: CoverageSettings;
  readonly #openLibc: () => RecorderLibc;
  readonly #threadsShared: boolean;
  readonly #records: ThreadRecords;
  readonly #tallies: OriginTally[] = [];
  #baselineWanted: boolean;
  #baseline: TestRecord | undefined;
  #set: CollectorSet<CollectedTest> | undefined;
  /** What runs while no test is open. */
  #outside: Segment<CollectedTest> | undefined;
  #outsideTally = new OriginTally();
  /** What the group collects into now. */
  #current: Segment<CollectedTest> | undefined;
  #open: readonly CollectedTest[] = [];
  /** Bodies that run on although their test was ended for them. */
  #left = 0;
  #unavailable: KcovUnavailableError | undefined;

  constructor(options: CollectorRecorderOptions = {}) {
    const { settings = coverageSettings(), open = openLibc, threadsShared = false } = options;
    this.#settings = settings;
    this.#openLibc = open;
    this.#threadsShared = threadsShared;
    this.#baselineWanted = options.baseline ?? true;
    this.#records = new ThreadRecords(settings, open);
  }

  get mode(): CoverageSettings["mode"] {
    return this.#settings.mode;
  }

  unavailable(): KcovUnavailableError | undefined {
    if (this.#current !== undefined) return undefined;
    if (this.#unavailable === undefined) this.#start();
    return this.#unavailable;
  }

  prepare(insideTest: boolean): void {
    if (this.mode === "off" || this.unavailable() !== undefined) return;
    atEndOfFile(this, this.#settings, insideTest);
  }

  begin({ identity, kind, around, giveUp }: TestStart): CollectedTest {
    this.#current!.collector.paused = true;
    const { name, file } = identity;
    const runner = runtimeName();
    const begun: BegunTest = { name, file, runner, scope: "tree", kind, hasHits: false };
    const test = new CollectedTest(begun, around as CollectedTest | undefined, giveUp);
    test.shared = this.#left > 0;
    test.tally = this.#tallies.pop() ?? new OriginTally();
    if (kind === "test") {
      this.#writeBaseline();
      this.#records.announce(begun);
    }
    const open = [...this.#open, test];
    const shared = isShared(open);
    for (const other of open) other.shared ||= shared;
    this.#switchTo(open);
    test.startedMs = performance.now();
    this.#resume();
    return test;
  }

  end(test: CollectedTest, { outcome, left }: TestEnd): RecordedPoints | undefined {
    if (this.#current === undefined || !this.#open.includes(test)) return undefined;
    this.#current.collector.paused = true;
    this.#switchTo(this.#open.filter((other) => other !== test));
    const durationMs = performance.now() - test.startedMs;
    if (left === true) this.#left++;
    const points = test.tally!.take();
    this.#tallies.push(test.tally!);
    test.tally = undefined;
    const { begun: { name, kind } } = test;
    try {
      const record = test.record(points, { outcome, durationMs }, this.#threadsShared);
      if (kind === "baseline") {
        const before = this.#baseline;
        this.#baseline = before === undefined ? record : commonPoints(before, record);
      } else test.number = this.#records.append(record);
    } catch (error) {
      this.#records.reportLost(name, outcome, error);
    } finally {
      this.#resume();
    }
    return { ...points, hits: NO_HITS };
  }

  returned(): void {
    this.#left--;
  }

  read({ tally }: CollectedTest): RecordedPoints | undefined {
    const current = this.#current;
    if (tally === undefined || current === undefined) return undefined;
    current.read(current.owners.map((owner) => owner.tally!));
    return { ...tally.points(), hits: NO_HITS };
  }

  pause<Result>(action: () => Result): Result {
    const collector = this.#current?.collector;
    if (collector === undefined) return action();
    collector.paused = true;
    try {
      return action();
    } finally {
      this.#resume();
    }
  }

  takesBaseline(): boolean {
    const wanted = this.#baselineWanted && this.unavailable() === undefined;
    this.#baselineWanted = false;
    return wanted;
  }

  /** Whether records were written that no report holds yet. */
  get hasRecords(): boolean {
    return this.#records.any;
  }

  /** Reads what comes late, with a limit, and closes the collectors and the record file. A later test opens them again. */
  close(): void {
    const outside = this.#outside;
    if (outside === undefined) return;
    this.#current!.collector.paused = true;
    for (const test of this.#open) test.giveUp();
    this.#current!.collector.paused = true;
    this.#readOutside();
    this.#awaitLate();
    this.#set!.close();
    this.#writeBaseline();
    this.#writeOutside(outside);
    outside.collector.close();
    this.#set = this.#outside = this.#current = undefined;
    this.#open = [];
    this.#records.close();
  }

  /** What the calling thread runs is recorded again. */
  #resume(): void {
    const current = this.#current;
    if (current !== undefined) current.collector.paused = false;
  }

  /**
   * Has the group collect for these tests from here on, or for none; what the thread itself runs is not recorded until
   * {@linkcode #resume}.
   */
  #switchTo(open: readonly CollectedTest[]): void {
    const before = this.#current!;
    const next = open.length === 0 ? this.#takeOutside() : this.#takeNext(open);
    this.#open = open;
    this.#current = next;
    if (before === this.#outside) return;
    this.#readLate(before);
    this.#set!.release(before);
  }

  #takeOutside(): Segment<CollectedTest> {
    const outside = this.#outside!;
    try {
      outside.collector.take(false);
      return outside;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    // A test has closed its descriptor. What it held is in memory all the same.
    this.#readOutside();
    outside.collector.abandon();
    return this.#outside = this.#opened((collector) => {
      collector.take(false);
      return new Segment(collector, []);
    });
  }

  #takeNext(open: readonly CollectedTest[]): Segment<CollectedTest> {
    const set = this.#set!;
    for (let tries = 0;; tries++) {
      const collector = set.next();
      collector.paused = true;
      try {
        collector.take(true);
        for (const test of open) test.segments.push(new Segment(collector, open));
        return open.at(-1)!.segments.at(-1)!;
      } catch (error) {
        // A test has closed its descriptor.
        if (!(error instanceof SyscallError) || tries > 8) throw this.#closedBy(error);
        set.forget(collector);
      }
    }
  }

  #closedBy(cause: unknown): unknown {
    if (!(cause instanceof SyscallError)) return cause;
    return this.#unavailable = new KcovUnavailableError(
      "busy",
      "A test has closed the coverage device, and this thread cannot open another: " +
        "let tests close only descriptors that they opened",
      { cause },
    );
  }

  #opened<Result>(use: (collector: Collector) => Result): Result {
    const collector = Collector.open(this.#openLibc(), { words: this.#words });
    collector.paused = true;
    try {
      return use(collector);
    } catch (error) {
      collector.close();
      throw error;
    }
  }

  get #words(): number {
    return this.#settings.words ?? DEFAULT_WORDS;
  }
}

function openLibc(): RecorderLibc {
  return loadLibcPart([...COLLECTOR_FUNCTIONS, "write", "fstat", "poll"]);
}
