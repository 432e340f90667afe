import type { TestOutcome } from "../record/test_record.ts";
import type { KernelCoverage } from "./kernel_coverage.ts";

/** Coverage that runs until it is ended, with the outcome of its test. */
export interface StartedCoverage extends KernelCoverage, Disposable {
  /** What its supervisor knows it by; absent where it has none. */
  readonly number?: number;
  end(outcome: TestOutcome): void;
  markAsynchronous(): void;
}
