import { KcovUnavailableError } from "../errors.ts";
import type { RecordKind, TestOutcome } from "../record/test_record.ts";
import { runtimeName } from "../sys/runtime.ts";
import type { BoundaryClient } from "../tracer/boundary/boundary_client.ts";
import type { BeginMessage } from "../tracer/boundary/boundary_message.ts";
import { CoverageAnswers, type Question } from "../assertions/coverage_answers.ts";
import type { CoverageFlags, TestIdentity } from "./kernel_coverage.ts";
import { openSymbolizer } from "../assertions/open_symbolizer.ts";
import { withOwnBuiltins } from "./own_builtins.ts";
import { say } from "../record/say_once.ts";
import type { TestCoverage } from "./test_coverage.ts";
import { threadTests } from "./supervisor_client.ts";

const NO_HITS = new Uint32Array(0);

/** The coverage of one test under a supervisor, which records all threads and processes and writes the record. */
export class SupervisedCoverage extends CoverageAnswers implements TestCoverage {
  readonly available: boolean = true;
  readonly hasHits: boolean = false;
  readonly number: number = threadTests.next++;
  readonly #client: BoundaryClient;
  readonly #identity: TestIdentity;
  readonly #begin: BeginMessage;
  #ended = false;
  #left = false;
  #refused = false;

  /** @param parent The test that this one is a step of. */
  constructor(
    client: BoundaryClient,
    identity: TestIdentity,
    kind: RecordKind & ("test" | "baseline") = "test",
    parent?: TestCoverage,
  ) {
    super();
    this.#client = client;
    this.#identity = identity;
    const within = parent?.number === undefined ? {} : { parent: parent.number };
    this.#begin = {
      do: "begin",
      test: this.number,
      ...identity,
      runner: runtimeName(),
      kind,
      startedAt: Date.now(),
      ...within,
      ...(threadTests.left > 0 ? { shared: true } : {}),
    };
  }

  get name(): string {
    return this.#identity.name;
  }

  /** Truncation and sharing are known when the record is written. */
  get record(): CoverageFlags {
    return { truncated: false, shared: threadTests.left > 0, callingThreadOnly: false };
  }

  /** Begins the record, last of all. A supervisor that does not answer is reported at the end. */
  begin(): void {
    this.#refused = this.#client.send(this.#begin)?.done === false;
  }

  /** All threads are recorded: there is nothing to mark. */
  markAsynchronous(): void {}

  /** Ends the record, first of all; once. */
  end(outcome: TestOutcome): void {
    if (this.#ended) {
      if (this.#left) threadTests.left--;
      this.#left = false;
      return;
    }
    this.#ended = true;
    // First of all: reading the clock is a system call of the test's thread.
    withOwnBuiltins(() => this.#end(outcome));
  }

  #end(outcome: TestOutcome): void {
    const message = { do: "end", test: this.number, outcome } as const;
    // The number of a refused test is another's.
    if (!this.#refused && this.#client.send(message)?.done === true) return;
    say(`no record of test ${JSON.stringify(this.name)}: its supervisor does not answer`);
  }

  /** Ends the record of a test that the runner gave up, such as after its timeout: its body may still run. */
  leave(): void {
    if (this.#ended) return;
    this.end("failed");
    this.#left = true;
    threadTests.left++;
  }

  [Symbol.dispose](): void {
    this.end("passed");
  }

  pcs(): Float64Array<ArrayBuffer> {
    const pcs = this.#ended ? null : withOwnBuiltins(() => this.#client.read(this.number));
    if (pcs !== null) return pcs;
    throw new KcovUnavailableError(
      "busy",
      "Cannot tell what the kernel ran: the test has ended, or its supervisor has: ask before the test ends",
    );
  }

  ask<Answer>(question: Question<Answer>): Answer {
    return withOwnBuiltins(() => {
      this.#client.send({ do: "pause" });
      try {
        return question(openSymbolizer(), { pcs: this.pcs(), hits: NO_HITS });
      } finally {
        this.#client.send({ do: "resume" });
      }
    });
  }
}
