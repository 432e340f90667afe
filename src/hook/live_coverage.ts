import { KcovUnavailableError } from "../errors.ts";
import { CoverageAnswers, type Question } from "../assertions/coverage_answers.ts";
import { onlyCompared } from "../assertions/kernel_comparisons.ts";
import { openSymbolizer } from "../assertions/open_symbolizer.ts";
import type { Symbolizer } from "../assertions/symbolizer.ts";
import { sayOncePerRun } from "../record/say_once.ts";
import type { TestOutcome } from "../record/test_record.ts";
import type { CoverageFlags, TestIdentity } from "./kernel_coverage.ts";
import type { RemoteSource } from "../kcov/remote/remote_sources.ts";
import { environmentFaults, type FaultOptions } from "./faults/fault_plan.ts";
import { environmentMode, environmentRemote, type RecordMode } from "./mode.ts";
import { requireSource } from "../sys/node_builtins.ts";
import { withOwnBuiltins } from "./own_builtins.ts";
import type {
  RecordedPoints,
  Recorder,
  Recording,
  TestEnd,
  TestStart,
} from "./recorders/recorder.ts";
import type { TestCoverage } from "./test_coverage.ts";

/** How to make a {@linkcode LiveCoverage}. */
export interface LiveCoverageOptions {
  /** A test by default. */
  readonly kind?: TestStart["kind"];
  /** The test that this one is a part of. */
  readonly parent?: Pick<TestCoverage, "recording"> | undefined;
  /** What is recorded; what the environment asks for by default. */
  readonly record?: RecordMode | undefined;
  /** Whose work in the kernel's own tasks is recorded too; what the environment asks for by default. */
  readonly remote?: readonly RemoteSource[] | undefined;
  /** What is to fail when the body runs again; what the environment asks for by default. */
  readonly faults?: FaultOptions | undefined;
  /** Opens the symbolizer, and remembers it; tests give another. */
  readonly openSymbolizer?: () => Symbolizer;
}

/** The coverage of one test, from `begin` to `end`, which has its record written. */
export class LiveCoverage extends CoverageAnswers implements TestCoverage {
  readonly available: boolean = true;
  readonly #recorder: Recorder;
  readonly #start: TestStart;
  readonly #openSymbolizer: () => Symbolizer;
  #faults: FaultOptions | undefined;
  #hasPassed = false;
  #recording: Recording | undefined;
  #asynchronous = false;
  #final: RecordedPoints | undefined;
  #ended = false;
  #left = false;

  /**
   * @param recorder The calling thread's.
   * @param identity Names the record.
   */
  constructor(recorder: Recorder, identity: TestIdentity, options: LiveCoverageOptions = {}) {
    super();
    const { kind = "test", parent, record, remote } = options;
    if (kind === "test" && parent === undefined) {
      this.#faults = options.faults ?? environmentFaults();
    }
    this.#recorder = recorder;
    this.#start = {
      identity,
      kind,
      record,
      remote,
      around: parent?.recording,
      giveUp: (outcome) => this.end(outcome),
    };
    this.#openSymbolizer = options.openSymbolizer ?? openSymbolizer;
  }

  get name(): string {
    return this.#start.identity.name;
  }

  get hasHits(): boolean {
    return this.#recorder.hasHits;
  }

  override get threadsShared(): boolean {
    return this.#recorder.threadsShared === true;
  }

  get recording(): Recording | undefined {
    return this.#recording;
  }

  get record(): CoverageFlags {
    const { truncated = false, shared = false } = this.#recording ?? {};
    const callingThreadOnly = this.#asynchronous && this.#recorder.hasHits;
    return { truncated, shared, callingThreadOnly };
  }

  /** Begins the recording, last of all. */
  begin(): void {
    const { record = environmentMode() } = this.#start;
    if (record === "trace" && this.#recorder.keepOrder === undefined) sayOncePerRun(NO_ORDER);
    if (record === "cmp" && this.#recorder.compare === undefined) sayOncePerRun(NO_COMPARISONS);
    const { remote = environmentRemote() } = this.#start;
    if (remote.length > 0 && this.#recorder.addRemote === undefined) sayOncePerRun(NO_REMOTE);
    this.#recording = this.#recorder.begin(this.#start);
  }

  get faults(): FaultOptions | undefined {
    return this.#faults;
  }

  askFaults(faults: FaultOptions): void {
    this.#faults = faults;
  }

  runAgain(run: () => unknown): Promise<void> | undefined {
    const faults = this.#faults;
    if (faults === undefined || !this.#hasPassed) return undefined;
    this.#faults = undefined;
    const { identity } = this.#start;
    const { runWithFaults } = withOwnBuiltins(() =>
      requireSource(import.meta.url, "hook/faults/fault_runs")
    ) as typeof import("./faults/fault_runs.ts");
    const again = () => runWithFaults({ identity, options: faults, points: this.#final, run });
    return again();
  }

  keepOrder(): void {
    const recording = this.#recording;
    if (recording === undefined || this.#ended) return;
    if (this.#recorder.keepOrder !== undefined) this.#recorder.keepOrder(recording);
    else this.#recorder.pause(() => sayOncePerRun(NO_ORDER));
  }

  addRemote(sources: readonly RemoteSource[]): void {
    const recording = this.#recording;
    if (recording === undefined || this.#ended) return;
    if (this.#recorder.addRemote !== undefined) this.#recorder.addRemote(recording, sources);
    else sayOncePerRun(NO_REMOTE);
  }

  compare(): void {
    const recording = this.#recording;
    if (recording === undefined || this.#ended) return;
    if (this.#recorder.compare !== undefined) this.#recorder.compare(recording);
    else sayOncePerRun(NO_COMPARISONS);
  }

  markAsynchronous(): void {
    if (!this.#ended) this.#asynchronous = true;
  }

  /**
   * Ends the recording, first of all, and has the record written; once. A record that cannot be written does not make a
   * test fail, unless coverage is required.
   */
  end(outcome: TestOutcome): void {
    if (!this.#ended) this.#end({ outcome, asynchronous: this.#asynchronous });
    else if (this.#left) {
      this.#left = false;
      this.#recorder.returned?.();
    }
  }

  leave(): void {
    if (this.#ended) return;
    this.#left = true;
    this.#end({ outcome: "failed", asynchronous: this.#asynchronous, left: true });
  }

  #end(end: TestEnd): void {
    this.#ended = true;
    this.#hasPassed = end.outcome === "passed";
    const recording = this.#recording;
    if (recording === undefined) return;
    withOwnBuiltins(() => this.#final = this.#recorder.end(recording, end));
  }

  /** Ends it as passed: a block cannot tell why it was left. */
  [Symbol.dispose](): void {
    this.end("passed");
  }

  pcs(): Float64Array<ArrayBuffer> {
    return withOwnBuiltins(() => {
      const { pcs, comparisons } = this.#points();
      if (comparisons !== undefined) throw onlyCompared();
      return pcs.slice();
    });
  }

  ask<Answer>(question: Question<Answer>): Answer {
    return withOwnBuiltins(() =>
      setAside(this.#recorder, () => question(this.#openSymbolizer(), this.#points()))
    );
  }

  #points(): RecordedPoints {
    const points = this.#final ??
      (this.#ended || this.#recording === undefined
        ? undefined
        : this.#recorder.read(this.#recording));
    if (points !== undefined) return points;
    throw new KcovUnavailableError(
      "busy",
      "Cannot tell what the kernel ran: the test has ended, or its supervisor has: ask before the test ends",
    );
  }
}

const NO_REMOTE =
  "remote coverage is of the testing thread: record with --scope thread; in tree scope collectors have what the kernel does for a test";
const NO_COMPARISONS =
  "a tracer does not record comparisons: record with --scope thread, or on a kernel with collectors";
const NO_ORDER =
  "the order of points is not kept where a tracer follows the tests: use kernelcov test --mode trace";

function setAside<Result>(recorder: Recorder, action: () => Result): Result {
  return recorder.setAside === undefined ? recorder.pause(action) : recorder.setAside(action);
}
