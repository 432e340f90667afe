import type { Address } from "../base/address.ts";
import type { DecodedPcs } from "../kcov/decode_pcs.ts";
import type { TestOutcome } from "../record/test_record.ts";
import { runtimeName } from "../sys/runtime.ts";
import { functionsOf, hasReached, hitsOf, linesOf } from "../assertions/coverage_questions.ts";
import { openSymbolizer } from "../assertions/open_symbolizer.ts";
import { withOwnBuiltins } from "./own_builtins.ts";
import { newWindow, type RecordingThread } from "./thread/recording_thread.ts";
import type { Symbolizer } from "../assertions/symbolizer.ts";

/** What a record says about its own completeness. */
export interface CoverageFlags {
  /** The buffer was full: PCs are missing. Set `KERNELCOV_WORDS` to a larger number of words. */
  readonly truncated: boolean;
  /** Another test was open at the same time on the same thread: some PCs may be that test's. */
  readonly shared: boolean;
  /** The body was asynchronous: what it did on other threads is missing. */
  readonly callingThreadOnly: boolean;
}

/**
 * The kernel code that a test ran, up to now while the test runs. Questions are not recorded themselves.
 *
 * Where kernel coverage cannot be had, `available` is false and each question throws a
 * {@linkcode KcovUnavailableError}, so that no test takes "nothing recorded" for "nothing ran".
 */
export interface KernelCoverage {
  /** Whether anything is recorded. */
  readonly available: boolean;
  /** Full name of the test. */
  readonly name: string;
  /** Flags of the record. */
  readonly record: CoverageFlags;
  /**
   * Distinct raw PCs, ascending: return addresses of coverage calls, as signed numbers.
   *
   * @throws {KcovUnavailableError} Where nothing is recorded.
   */
  pcs(): Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /**
   * Whether the function ran, copies inlined into others included.
   *
   * @throws {KcovUnavailableError} Where nothing is recorded, or the kernel's image is not found.
   * @throws {RangeError} Where the kernel has no such function, or no coverage points in it: nobody could tell.
   */
  reached(functionName: string): boolean;
  /**
   * How often the function's most-run coverage point ran, copies inlined into others included; 0 where none ran. For
   * a function without loops that is the number of its calls; a lower bound where the record is truncated.
   *
   * @throws {TypeError} In `tree` scope, where it is not known how often points ran: ask `reached`.
   * @throws As `reached`.
   */
  hits(functionName: string): number;
  /**
   * Names of the functions that ran, sorted, inlined ones included.
   *
   * @throws {KcovUnavailableError} As `reached`.
   */
  functions(): string[];
  /**
   * Numbers of the lines that ran in a source file, ascending.
   *
   * @param file Path relative to the kernel's root, such as `fs/pipe.c`.
   * @throws {KcovUnavailableError} As `reached`.
   * @throws {RangeError} Where the kernel has no such file, or no coverage points in it.
   */
  lines(file: string): number[];
}

/** What {@linkcode LiveCoverage} needs to know of its test. */
export interface TestIdentity {
  readonly name: string;
  readonly file: string;
}

/** The coverage of one test on one thread, from `begin` to `end`, which writes the record. */
export class LiveCoverage implements KernelCoverage {
  readonly available: boolean = true;
  readonly #thread: RecordingThread;
  readonly #identity: TestIdentity;
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
    this.#thread = thread;
    this.#identity = identity;
    this.#openSymbolizer = open;
  }

  get name(): string {
    return this.#identity.name;
  }

  get record(): CoverageFlags {
    const { truncated, shared } = this.#window;
    return { truncated, shared, callingThreadOnly: this.#asynchronous };
  }

  /** Opens the window, last of all. */
  begin(): void {
    const { name, file } = this.#identity;
    this.#startedMs = performance.now();
    this.#thread.begin(this.#window, {
      test: { name, file, runner: runtimeName(), scope: "thread", hasHits: true },
      // A body that outlives its file's tests is of a test that the runner gave up.
      giveUp: () => this.end("failed"),
    });
  }

  /** Says that the body went on after the first turn of the event loop. */
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
      const { name, file } = this.#identity;
      const { pcs, hits } = this.#final;
      thread.append({
        name,
        file,
        runner: runtimeName(),
        outcome,
        durationMs,
        scope: "thread",
        pcs,
        hits,
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

  reached(functionName: string): boolean {
    return this.#ask((symbolizer, decoded) => hasReached(symbolizer, decoded, functionName));
  }

  hits(functionName: string): number {
    return this.#ask((symbolizer, decoded) => hitsOf(symbolizer, decoded, functionName));
  }

  functions(): string[] {
    return this.#ask(functionsOf);
  }

  lines(file: string): number[] {
    return this.#ask((symbolizer, decoded) => linesOf(symbolizer, decoded, file));
  }

  #decoded(): DecodedPcs {
    return this.#final ?? this.#thread.decode(this.#window);
  }

  /** Answers from the image, unrecorded: reading it is not what the test does. */
  #ask<Answer>(question: (symbolizer: Symbolizer, decoded: DecodedPcs) => Answer): Answer {
    return withOwnBuiltins(() => {
      const decoded = this.#decoded();
      return this.#thread.pause(() => question(this.#openSymbolizer(), decoded));
    });
  }
}
