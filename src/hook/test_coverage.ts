import { CoverageAnswers, type Question } from "../assertions/coverage_answers.ts";
import type { RemoteSource } from "../kcov/remote/remote_sources.ts";
import type { TestOutcome } from "../record/test_record.ts";
import type { FaultOptions } from "./faults/fault_plan.ts";
import type { CoverageFlags, KernelCoverage } from "./kernel_coverage.ts";
import type { Recording } from "./recorders/recorder.ts";

/** The coverage of one test, which runs until it is ended with the test's outcome. */
export interface TestCoverage extends KernelCoverage, CoverageAnswers, Disposable {
  /** What its recorder knows it by; absent where it has none. */
  readonly recording?: Recording | undefined;
  /** What is to fail when its body runs again; `undefined` for nothing. */
  readonly faults?: FaultOptions | undefined;
  /** Has its body run again with failures, which were not asked for when it began. */
  askFaults(faults: FaultOptions): void;
  /** Runs its body again for each failure, where it has passed; a promise where the body returns one. */
  runAgain(run: () => unknown): Promise<void> | undefined;
  end(outcome: TestOutcome): void;
  /** Ends the record of a test that the runner gave up, such as after its timeout: its body may still run. */
  leave(): void;
  /** Has the order of its points kept too, which was not asked for when it began. */
  keepOrder(): void;
  /** Records comparisons in place of points from here on, which was not asked for when it began. */
  compare(): void;
  /** Records work of the kernel's own tasks too, from here on. */
  addRemote(sources: readonly RemoteSource[]): void;
  /** Notes that the body continued after the first iteration of the event loop. */
  markAsynchronous(): void;
}

/** The coverage of a test that its preload covers, for a body that asks for it: the preload ends it. */
export class AdoptedCoverage extends CoverageAnswers implements KernelCoverage {
  readonly #coverage: TestCoverage;

  constructor(coverage: TestCoverage) {
    super();
    this.#coverage = coverage;
  }

  get available(): boolean {
    return this.#coverage.available;
  }

  get name(): string {
    return this.#coverage.name;
  }

  get record(): CoverageFlags {
    return this.#coverage.record;
  }

  get hasHits(): boolean {
    return this.#coverage.hasHits;
  }

  override get threadsShared(): boolean {
    return this.#coverage.threadsShared;
  }

  pcs(): Float64Array<ArrayBuffer> {
    return this.#coverage.pcs();
  }

  ask<Answer>(question: Question<Answer>): Answer {
    return this.#coverage.ask(question);
  }
}
