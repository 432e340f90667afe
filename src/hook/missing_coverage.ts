import { KcovUnavailableError } from "../errors.ts";
import { CoverageAnswers } from "../assertions/coverage_answers.ts";
import type { CoverageFlags } from "./kernel_coverage.ts";
import type { TestCoverage } from "./test_coverage.ts";
import { sayOncePerRun } from "../record/say_once.ts";

/**
 * Stands for the coverage of a test, having said once per run that there is none and why.
 *
 * @param mode What `KERNELCOV` asks for.
 * @throws {KcovUnavailableError} Where that requires coverage.
 */
export function missingCoverage(
  name: string,
  why: KcovUnavailableError,
  mode: string | undefined,
): MissingCoverage {
  if (mode === "require") throw why;
  if (mode !== "off") sayOncePerRun(`no kernel coverage: ${why.message}`);
  return new MissingCoverage(name, why);
}

/** Stands for coverage where there is none. */
export class MissingCoverage extends CoverageAnswers implements TestCoverage {
  readonly available: boolean = false;
  readonly hasHits: boolean = true;
  readonly name: string;
  readonly record: CoverageFlags = { truncated: false, shared: false, callingThreadOnly: false };
  readonly #why: KcovUnavailableError;

  constructor(name: string, why: KcovUnavailableError) {
    super();
    this.name = name;
    this.#why = why;
  }

  end(): void {}

  leave(): void {}

  keepOrder(): void {}

  compare(): void {}

  addRemote(): void {}

  askFaults(): void {}

  runAgain(): undefined {}

  markAsynchronous(): void {}

  [Symbol.dispose](): void {}

  pcs(): never {
    return this.ask();
  }

  ask(): never {
    const { reason, message } = this.#why;
    throw new KcovUnavailableError(
      reason,
      `Cannot tell what the kernel ran: ${message}`,
      { cause: this.#why },
    );
  }
}
