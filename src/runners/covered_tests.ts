import type { TestOutcome } from "../record/test_record.ts";
import { coveredCall } from "../hook/body/covered_call.ts";
import type { CoveredCall } from "../hook/body/covered_function.ts";
import { KcovUnavailableError } from "../errors.ts";
import { isFaultRun } from "../hook/faults/fault_state.ts";
import { missingCoverage } from "../hook/missing_coverage.ts";
import { withOwnBuiltins } from "../hook/own_builtins.ts";
import { runningTests } from "../hook/running_test.ts";
import { prepareThread, startCoverage } from "../hook/start_coverage.ts";
import type { TestCoverage } from "../hook/test_coverage.ts";
import { ownRecorder } from "../hook/recorders/own_recorder.ts";
import { type Recorder, sharedRecorder } from "../hook/recorders/recorder.ts";
import { supervisorRecorder } from "../hook/recorders/supervisor_recorder.ts";

const AGAIN = new KcovUnavailableError("busy", "The test runs again for its failures");

/** Covers the tests of one thread on behalf of a preload: each body begins its own. */
export class CoveredTests {
  readonly #open = new Set<TestCoverage>();
  /** Those that end when the hooks of their test run. */
  readonly #untilHooks = new Set<TestCoverage>();
  /** Started bodies minus tests whose hooks have run. */
  #running = 0;

  /** What records this thread. */
  readonly recorder: Recorder;

  /** Opens what a test with fewer permissions could not. */
  constructor() {
    // Here and not where a test begins: this file has it already.
    this.recorder = sharedRecorder(() => supervisorRecorder() ?? ownRecorder());
    prepareThread();
  }

  /** Whether steps can have records of their own. */
  get hasSteps(): boolean {
    return this.recorder.hasSteps;
  }

  /** Begins the coverage of a test, or of a step of `parent`. */
  begin(name: string, file: string, parent?: TestCoverage): TestCoverage {
    if (isFaultRun()) return missingCoverage(name, AGAIN, "off");
    const coverage = startCoverage(() => ({ name, file }), { parent });
    if (parent === undefined && coverage.available) {
      this.#running++;
      this.#open.add(coverage);
    }
    return coverage;
  }

  /** A call of a body whose end only the runner is told: its coverage ends when the test's hooks run. */
  untilHooks(coverage: TestCoverage, args: readonly unknown[]): CoveredCall {
    this.#untilHooks.add(coverage);
    return coveredCall({ coverage, fromPreload: true }, args, { endsItself: false });
  }

  /** Call when the tests of a file have ended: an uncaught error ends a file without running hooks. */
  endFile(): void {
    this.#running = 0;
    this.afterTest();
  }

  /**
   * Call when a test's hooks run. Where no test can be running any more, those still open were given up by the runner,
   * such as after their timeout.
   *
   * @param outcome That of a test whose coverage ends now.
   */
  afterTest(outcome: TestOutcome = "passed"): void {
    withOwnBuiltins(() => {
      this.#running = Math.max(0, this.#running - 1);
      if (this.#running > 0) return;
      for (const coverage of this.#open) {
        if (this.#untilHooks.has(coverage)) coverage.end(outcome);
        else coverage.leave();
      }
      this.#open.clear();
      this.#untilHooks.clear();
      runningTests.clear();
    });
  }
}
