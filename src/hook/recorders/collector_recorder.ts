import { KcovUnavailableError, SyscallError } from "../../errors.ts";
import { Collector, COLLECTOR_FUNCTIONS, type CollectorLibc } from "../../kcov/collector.ts";
import { awaitLate } from "../../kcov/await_late.ts";
import { OriginTally } from "../../kcov/origin_tally.ts";
import { PcTally } from "../../kcov/pc_tally.ts";
import { setThreadRecorded } from "../../kcov/recorder.ts";
import { NO_CALLBACKS } from "../../kernel/kcov_availability.ts";
import type { BegunTest, TestRecord } from "../../record/test_record.ts";
import { isHostfs } from "../../record/hostfs_write_through.ts";
import { loadLibcPart } from "../../sys/load.ts";
import { runtimeName } from "../../sys/runtime.ts";
import type { LibcPart } from "../../sys/types.ts";
import { KernelLogMarks } from "../../tracer/kernel_log_marks.ts";
import { commonPoints } from "../../tracer/ledger/common_points.ts";
import { isShared } from "../../tracer/ledger/ownership.ts";
import { type CoverageSettings, coverageSettings } from "../coverage_settings.ts";
import { environmentMode } from "../mode.ts";
import { withOwnBuiltins } from "../own_builtins.ts";
import { runnerBehaviour } from "../runner_behaviour.ts";
import { CollectedTest } from "./collected_test.ts";
import { CollectorSet, Segment } from "./collector_set.ts";
import { atEndOfFile } from "./end_of_file.ts";
import type { RecordedPoints, Recorder, TestEnd, TestStart } from "./recorder.ts";
import { ThreadOrder } from "./thread_order.ts";
import { explain, turnedOff } from "./thread_recorder.ts";
import { type RecordsLibc, ThreadRecords } from "./thread_records.ts";

/** Words of a collector's area: 512 KiB, more than 65,000 entries. */
const DEFAULT_WORDS = 65_536;
/** So many collectors a test may have closed at once. */
const MOST_TRIES = 8;
const NO_HITS = new Uint32Array(0);

/** What recording by collectors calls. */
export type RecorderLibc = CollectorLibc & RecordsLibc & LibcPart<"poll">;

/** How to make a {@linkcode CollectorRecorder}. */
export interface CollectorRecorderOptions {
  readonly settings?: CoverageSettings;
  /** Opens libc; tests give another. */
  readonly open?: () => RecorderLibc;
  /** Opens libc for the record file; the same by default. */
  readonly openFiles?: () => RecordsLibc;
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
  readonly pausesFreely = true;
  readonly #settings: CoverageSettings;
  readonly #open: () => RecorderLibc;
  #opened: RecorderLibc | undefined;
  readonly threadsShared: boolean;
  readonly #records: ThreadRecords;
  readonly #tallies: OriginTally[] = [];
  #baselineWanted: boolean;
  #baseline: TestRecord | undefined;
  #set: CollectorSet<CollectedTest> | undefined;
  /** What runs while no test is open. */
  #outside: Segment<CollectedTest> | undefined;
  readonly #outsideTally = new PcTally();
  readonly #order: ThreadOrder;
  /** What the group collects into now. */
  #current: Segment<CollectedTest> | undefined;
  #tests: readonly CollectedTest[] = [];
  /** Bodies that run on although their test was ended for them. */
  #left = 0;
  #marks: KernelLogMarks | undefined;
  #exitNoticed = false;
  #startedMs = 0;
  #unavailable: KcovUnavailableError | undefined;

  constructor(options: CollectorRecorderOptions = {}) {
    const { settings = coverageSettings(), open = openLibc, threadsShared = false } = options;
    this.#settings = settings;
    this.#open = open;
    this.threadsShared = threadsShared;
    this.#order = new ThreadOrder(settings.words);
    this.#baselineWanted = options.baseline ?? true;
    this.#records = new ThreadRecords(settings, options.openFiles ?? (() => this.#libc));
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
    if (!insideTest) this.#records.prepare();
    atEndOfFile(this, this.#settings, insideTest);
    if (this.#exitNoticed) return;
    this.#exitNoticed = true;
    runnerBehaviour.atExit(() => withOwnBuiltins(() => this.close()));
  }

  begin(start: TestStart): CollectedTest {
    const test = this.#order.pause(() => this.#begin(start));
    if ((start.record ?? environmentMode()) === "trace" && start.kind === "test") {
      this.keepOrder(test);
    }
    return test;
  }

  keepOrder(test: CollectedTest): void {
    this.pause(() => this.#order.begin(test));
  }

  #begin({ identity, kind, around, giveUp }: TestStart): CollectedTest {
    const current = this.#current;
    if (current === undefined) throw this.#unavailable ?? new TypeError("Open the recorder first");
    current.collector.paused = true;
    try {
      const runner = runtimeName();
      const begun: BegunTest = { ...identity, runner, scope: "tree", kind, hasHits: false };
      const tally = this.#tallies.pop() ?? new OriginTally();
      const parent = around instanceof CollectedTest ? around : null;
      const test = new CollectedTest(begun, parent, tally, giveUp);
      const open = [...this.#tests, test];
      test.shared = this.#left > 0;
      if (isShared(open)) { for (const other of open) other.shared = true; }
      this.#switchTo(open, () => {
        if (kind !== "test") return;
        this.#records.announce(begun);
        this.#marks?.begin(begun);
      });
      test.startedMs = performance.now();
      return test;
    } finally {
      this.#resume();
    }
  }

  end(test: CollectedTest, end: TestEnd): RecordedPoints | undefined {
    const order = this.#order.end(test);
    return this.#order.pause(() => this.#end(test, end, order));
  }

  #end(
    test: CollectedTest,
    { outcome, left }: TestEnd,
    order: ReturnType<ThreadOrder["end"]>,
  ): RecordedPoints | undefined {
    const { tally, begun } = test;
    if (this.#current === undefined || tally === undefined) return undefined;
    this.#current.collector.paused = true;
    try {
      this.#switchTo(this.#tests.filter((other) => other !== test));
      const durationMs = performance.now() - test.startedMs;
      if (left === true) this.#left++;
      test.tally = undefined;
      const points = tally.take();
      this.#tallies.push(tally);
      const whole = test.record(points, { outcome, durationMs }, this.threadsShared);
      const record = order === undefined ? whole : { ...whole, order: order(whole.pcs) };
      test.wasPending = test.pending > 0;
      if (begun.kind === "baseline") this.#addBaseline(record);
      else test.number = this.#records.appendLater(record);
      return { ...points, hits: NO_HITS };
    } catch (error) {
      this.#records.reportLost(begun.name, outcome, error);
      return undefined;
    } finally {
      this.#resume();
    }
  }

  returned(): void {
    this.#left--;
  }

  read({ tally }: CollectedTest): RecordedPoints | undefined {
    const current = this.#current;
    if (tally === undefined || current === undefined) return undefined;
    return this.pause(() => {
      current.read(talliesOf(current));
      return { ...tally.points(), hits: NO_HITS };
    });
  }

  pause<Result>(action: () => Result): Result {
    const collector = this.#current?.collector;
    // Within another pause.
    if (collector === undefined || collector.paused) return action();
    collector.paused = true;
    try {
      return this.#order.pause(action);
    } finally {
      this.#resume();
    }
  }

  /** Other threads of the runtime load files for it, say. */
  setAside<Result>(action: () => Result): Result {
    const current = this.#current, outside = this.#outside;
    if (current === undefined || outside === undefined || current === outside) return action();
    return this.pause(() => {
      outside.collector.paused = true;
      try {
        outside.collector.take(false);
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        // A test has closed its descriptor.
        return action();
      }
      try {
        return action();
      } finally {
        this.#takeBack(current);
      }
    });
  }

  #takeBack(segment: Segment<CollectedTest>): void {
    try {
      segment.collector.take(false);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      this.#switchTo(this.#tests);
    }
  }

  takesBaseline(): boolean {
    const wanted = this.#baselineWanted && this.unavailable() === undefined;
    this.#baselineWanted = false;
    return wanted;
  }

  /** Some empty tests, not all, collect garbage and the like: what they have in common is kept. */
  keepBaseline(): void {
    const record = this.#baseline;
    this.#baseline = undefined;
    if (record !== undefined) this.pause(() => this.#append(record));
  }

  /** Whether records were written that no report holds yet. */
  get hasRecords(): boolean {
    return this.#records.any;
  }

  /** Reads what comes late, with a limit, and closes the collectors and the record file. A later test opens them again. */
  close(): void {
    const outside = this.#outside, set = this.#set;
    if (outside === undefined || set === undefined) return;
    for (const test of this.#tests) test.giveUp();
    outside.collector.paused = true;
    const late = set.idle.filter(({ owners }) => owners.some(({ number }) => number !== undefined));
    awaitLate(this.#libc, late.map(({ collector }) => collector));
    set.close();
    this.#order.close();
    this.keepBaseline();
    this.#closeOutside();
    this.#set = this.#outside = this.#current = undefined;
    this.#tests = [];
    setThreadRecorded(false);
    this.#marks?.close();
    this.#marks = undefined;
    this.#records.close();
  }

  #start(): void {
    if (this.mode === "off") {
      this.#unavailable = turnedOff();
      return;
    }
    try {
      const outside = this.#openOutside((collector) =>
        collector.collect(this.threadsShared ? "thread" : "process")
      );
      this.#outside = this.#current = outside;
      const last = (segment: Segment<CollectedTest>) => this.#readLast(segment);
      this.#set = new CollectorSet(this.#libc, this.#words, last);
      this.#warmUp();
      this.#records.followModules();
      // A guest's log is for its tests alone.
      if (isHostfs(this.#libc, this.#settings.runDirectory)) {
        this.#marks = new KernelLogMarks(this.#libc);
      }
      this.#startedMs = performance.now();
      setThreadRecorded(true);
      this.#resume();
    } catch (error) {
      this.#set?.close();
      this.#outside?.collector.close();
      this.#set = this.#outside = this.#current = undefined;
      this.#unavailable = explain(error);
    }
  }

  /**
   * Collects a failing system call, so that the first test does not record first-time work of the hook, and a kernel with
   * collectors but without coverage calls in its code is noticed.
   */
  #warmUp(): void {
    const libc = this.#libc, tally = new OriginTally();
    const segment = this.#takeNext([]);
    segment.collector.paused = false;
    libc.close(-1);
    segment.collector.paused = true;
    this.#takeOutside();
    segment.read([tally]);
    this.#set!.release(segment);
    const { pcs } = tally.take();
    this.#tallies.push(tally);
    if (pcs.length === 0) throw new KcovUnavailableError("no-callbacks", NO_CALLBACKS);
  }

  /** What the calling thread runs is recorded again. */
  #resume(): void {
    const current = this.#current;
    if (current !== undefined) current.collector.paused = false;
  }

  /**
   * Has the group collect for these tests from here on, or for none; what the thread itself runs is not recorded until
   * {@linkcode #resume}.
   *
   * @param ready called before, when all is written that comes before
   */
  #switchTo(open: readonly CollectedTest[], ready = () => {}): void {
    const before = this.#current!;
    const next = open.length === 0 ? this.#takeOutside() : this.#takeNext(open, ready);
    this.#tests = open;
    this.#current = next;
    if (before.owners.length === 0) return;
    before.read(talliesOf(before));
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
    outside.read([this.#outsideTally]);
    outside.collector.abandon();
    return this.#outside = this.#openOutside((collector) => collector.take(false));
  }

  /** @param ready called when nothing is left to be written of what the collector held */
  #takeNext(open: readonly CollectedTest[], ready = () => {}): Segment<CollectedTest> {
    const set = this.#set!;
    for (let tries = 0;; tries++) {
      const collector = set.next();
      if (tries === 0) ready();
      collector.paused = true;
      try {
        collector.take(true);
        const segment = new Segment(collector, open);
        for (const test of open) test.segments.push(segment);
        return segment;
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        // A test has closed its descriptor.
        set.forget(collector);
        if (tries === MOST_TRIES) throw closedBy(error);
      }
    }
  }

  /** A segment ends for good: what came late goes to the tests that were open in it. */
  #readLast(segment: Segment<CollectedTest>): void {
    if (segment.collector.tasks > 0) {
      // Processes that live on work for no test now.
      try {
        this.#outside!.collector.takeFrom(segment.collector);
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
      }
    }
    if (!segment.hasMore) return;
    const ended = segment.owners.filter(({ number }) => number !== undefined);
    const late = this.#tallies.pop() ?? new OriginTally();
    segment.read([...talliesOf(segment), late]);
    const points = late.take();
    this.#tallies.push(late);
    for (const test of ended) {
      const { begun: { name }, number, pending, dropped, truncated, wasPending } = test;
      this.#records.addLate(name, number!, { ...points, pending, dropped, truncated }, wasPending);
    }
  }

  #addBaseline(record: TestRecord): void {
    const before = this.#baseline;
    this.#baseline = before === undefined ? record : commonPoints(before, record);
  }

  #closeOutside(): void {
    const outside = this.#outside!;
    outside.read([this.#outsideTally]);
    const { pending, dropped, truncated, tasks } = outside;
    outside.collector.close();
    // Nobody asks by which calls, and there are many points.
    const pcs = this.#outsideTally.take();
    if (pcs.length === 0) return;
    this.#append({
      name: "(outside tests)",
      file: "",
      runner: runtimeName(),
      kind: "outside",
      scope: "tree",
      outcome: "passed",
      durationMs: performance.now() - this.#startedMs,
      pcs,
      hits: null,
      truncated,
      shared: false,
      callingThreadOnly: false,
      tree: {
        tasks: tasks + 1,
        refused: [],
        finished: true,
        ...(this.threadsShared ? { threadsShared: true } : {}),
        ...(pending === 0 ? {} : { pending }),
        ...(dropped === 0 ? {} : { dropped }),
      },
    });
  }

  #append(record: TestRecord): void {
    try {
      this.#records.append(record);
    } catch (error) {
      this.#records.reportLost(record.name, record.outcome, error);
    }
  }

  #openOutside(use: (collector: Collector) => void): Segment<CollectedTest> {
    const collector = Collector.open(this.#libc, { words: this.#words });
    collector.paused = true;
    try {
      use(collector);
      return new Segment(collector, []);
    } catch (error) {
      collector.close();
      throw error;
    }
  }

  get #libc(): RecorderLibc {
    return this.#opened ??= this.#open();
  }

  get #words(): number {
    return this.#settings.words ?? DEFAULT_WORDS;
  }
}

/** The tallies of the tests of a segment that are open still. */
function talliesOf({ owners }: Segment<CollectedTest>): OriginTally[] {
  const tallies: OriginTally[] = [];
  for (const { tally } of owners) if (tally !== undefined) tallies.push(tally);
  return tallies;
}

function closedBy(cause: SyscallError): KcovUnavailableError {
  return new KcovUnavailableError(
    "busy",
    "A test has closed the coverage device, and this thread cannot open another: " +
      "let tests close only descriptors that they opened",
    { cause },
  );
}

function openLibc(): RecorderLibc {
  return loadLibcPart([...COLLECTOR_FUNCTIONS, "write", "fstat", "poll"]);
}
