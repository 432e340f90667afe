import type { DecodedPcs } from "../../kcov/decode_pcs.ts";
import type { BegunTest, TestOutcome } from "../../record/test_record.ts";
import { runtimeName } from "../../sys/runtime.ts";
import { CoverageAnswers, type Question } from "../../assertions/coverage_answers.ts";
import { openSymbolizer } from "../../assertions/open_symbolizer.ts";
import { withOwnBuiltins } from "../own_builtins.ts";
import { newWindow, type RecordingThread } from "./recording_thread.ts";
import type { Symbolizer } from "../../assertions/symbolizer.ts";
import type { CoverageFlags, TestIdentity } from "../kernel_coverage.ts";
import type { TestCoverage } from "../test_coverage.ts";

/** The coverage of one test on one thread, from `begin` to `end`, which writes the record. */
export class LiveCoverage extends CoverageAnswers implements TestCoverage {
  readonly available: boolean = true;
  readonly hasHits: boolean = true;
  readonly #thread: RecordingThread;
  readonly #test: TestIdentity & Pick<BegunTest, "runner" | "scope">;
  readonly #openSymbolizer: () => Symbolizer;
  readonly #window = newWindow();
  #asynchronous = false;
  #startedMs = 0;
  #final: DecodedPcs | undefined;
  #ended = false;

  /**
   * @param thread The calling thread.
   * @param identity Names the record.
   * @param open Opens the symbolizer, and remembers it; tests give another.
   */
  constructor(thread: RecordingThread, identity: TestIdentity, open = openSymbolizer) {
    super();
    this.#thread = thread;
    this.#test = { ...identity, runner: runtimeName(), scope: "thread" };
    this.#openSymbolizer = open;
  }

  get name(): string {
    return this.#test.name;
  }

  get record(): CoverageFlags {
    const { truncated, shared } = this.#window;
    return { truncated, shared, callingThreadOnly: this.#asynchronous };
  }

  /** Opens the window, last of all. */
  begin(): void {
    this.#startedMs = performance.now();
    this.#thread.begin(this.#window, {
      test: { ...this.#test, hasHits: true },
      // A body that outlives its file's tests is of a test that the runner gave up.
      giveUp: () => this.end("failed"),
    });
  }

  markAsynchronous(): void {
    if (!this.#ended) this.#asynchronous = true;
  }

  /**
   * Closes the window, first of all, and writes the record; once. A record that cannot be written does not make a
   * test fail, unless coverage is required.
   */
  end(outcome: TestOutcome): void {
    if (!this.#ended) withOwnBuiltins(() => this.#end(outcome));
  }

  #end(outcome: TestOutcome): void {
    const thread = this.#thread;
    try {
      thread.end(this.#window);
      this.#ended = true;
      const durationMs = performance.now() - this.#startedMs;
      this.#final = thread.decode(this.#window);
      thread.append({
        ...this.#test,
        outcome,
        durationMs,
        ...this.#final,
        ...this.record,
      });
    } catch (error) {
      this.#ended = true;
      thread.reportLost(this.name, outcome, error);
    }
  }

  /** Ends it as passed: a block cannot tell why it was left. */
  [Symbol.dispose](): void {
    this.end("passed");
  }

  pcs(): Float64Array<ArrayBuffer> {
    return withOwnBuiltins(() => this.#decoded().pcs.slice());
  }

  #decoded(): DecodedPcs {
    return this.#final ?? this.#thread.decode(this.#window);
  }

  ask<Answer>(question: Question<Answer>): Answer {
    return withOwnBuiltins(() => {
      const decoded = this.#decoded();
      return this.#thread.pause(() => question(this.#openSymbolizer(), decoded));
    });
  }
}
