import { runningCallEntries } from "../../kernel/entry_functions.ts";
import { FaultInjection, FaultReader } from "../../kernel/fault_injection.ts";
import { runningKernel } from "../../kernel/running_kernel.ts";
import { KcovDevice } from "../../kcov/kcov_device.ts";
import { CallSplitter } from "../../kcov/split_calls.ts";
import { callsNamed } from "../../kcov/system_calls.ts";
import { FaultWriter } from "../../record/faults/fault_files.ts";
import { formatInvocation, thisInvocation } from "../../record/invocation.ts";
import { say } from "../../record/say_once.ts";
import { runtimeName } from "../../sys/runtime.ts";
import { coverageSettings } from "../coverage_settings.ts";
import type { TestIdentity } from "../kernel_coverage.ts";
import { withOwnBuiltins } from "../own_builtins.ts";
import { setFaultRuns, settleWithin } from "./fault_state.ts";
import { callsOf, type FaultOptions } from "./fault_plan.ts";
import type { RecordedPoints } from "../recorders/recorder.ts";

/** A runner's time limit of a test holds for these runs too. */
const LONGEST_MS = 2_000;
/** A call that allocates without end is no test of its error paths. */
const MOST_RUNS = 1_000;

let splitter: CallSplitter | undefined;
let hasLooked = false;

/** What tells in which call a point ran; `undefined` where that cannot be known. */
function callSplitter(): CallSplitter | undefined {
  if (hasLooked) return splitter;
  hasLooked = true;
  try {
    const entries = runningCallEntries(runningKernel());
    splitter = entries && new CallSplitter(entries);
  } catch {
    // Not permitted to look.
  }
  return splitter;
}

/** A test that has passed, to be run again with failures. */
export interface RepeatedTest {
  readonly identity: TestIdentity;
  readonly options: FaultOptions;
  /** What its record has. */
  readonly points: RecordedPoints | undefined;
  /** Runs its body again. */
  readonly run: () => unknown;
}

/**
 * Runs a test's body again and again, each time with another allocation failing, until none is left; and writes what ran.
 * What the body throws meanwhile is noted, and is no failure of the test.
 *
 * @returns A promise where the body returns one.
 */
export function runWithFaults(test: RepeatedTest): Promise<void> | undefined {
  let session: FaultSession;
  try {
    session = withOwnBuiltins(() => new FaultSession(test));
  } catch (error) {
    withOwnBuiltins(() => say(lostMessage(test.identity.name, error)));
    return undefined;
  }
  setFaultRuns(true);
  return session.go();
}

/** The runs of one test. */
class FaultSession {
  readonly #test: RepeatedTest;
  readonly #injection: FaultInjection;
  readonly #device: KcovDevice;
  readonly #writer: FaultWriter;
  readonly #known: Set<number>;
  readonly #calls: string[];
  readonly #only: number | undefined;
  readonly #until = performance.now() + LONGEST_MS;
  readonly #machine: string;
  readonly #opened: DisposableStack;
  #nth = 0;

  constructor(test: RepeatedTest) {
    const { runDirectory, run, words } = coverageSettings();
    const { buildId, machine } = runningKernel();
    this.#test = test;
    this.#machine = machine;
    this.#known = new Set(test.points?.pcs);
    this.#calls = callsOf(test.options, test.points?.origins, machine);
    const { nth = "each" } = test.options;
    this.#only = nth === "each" ? undefined : nth;
    using opened = new DisposableStack();
    this.#injection = opened.use(new FaultInjection());
    this.#device = KcovDevice.open(words === undefined ? {} : { words });
    opened.defer(() => this.#device.close());
    this.#writer = new FaultWriter(runDirectory, {
      buildId,
      run: run ?? formatInvocation(thisInvocation()),
    });
    opened.defer(() => this.#writer.close());
    this.#begin();
    // First one in which nothing fails: what the runtime does in this thread meanwhile is no error path.
    this.#nth = 0;
    this.#opened = opened.move();
  }

  /** Runs until nothing is left, or until a body returns a promise, and then on when that is settled. */
  go(): Promise<void> | undefined {
    while (this.#calls.length > 0) {
      const reader = this.#guard(() => this.#arm());
      if (reader === undefined) break;
      let result: unknown;
      try {
        result = this.#test.run();
      } catch (error) {
        this.#guard(() => this.#ran(reader, error ?? "thrown"));
        continue;
      }
      if (result instanceof Promise) return this.#settle(result, reader).then(() => this.go());
      this.#guard(() => this.#ran(reader));
    }
    this.#guard(() => this.#close());
    return undefined;
  }

  /** Waits for a body, which may never end where something failed: the runner would take that for its timeout. */
  #settle(body: Promise<unknown>, reader: FaultReader): Promise<void> {
    let isLate = false;
    const ended = (error?: unknown): void => {
      if (!isLate) this.#guard(() => this.#ran(reader, error));
    };
    const work = body.then(() => ended(), (error) => ended(error ?? "rejected"));
    return settleWithin(work, LONGEST_MS, () => {
      isLate = true;
      this.#guard(() => {
        this.#ran(reader, `not at its end after ${LONGEST_MS / 1000} s`);
        // What it still does would be taken for another run's.
        for (; this.#calls.length > 0; this.#calls.shift()) {
          this.#cut(`a run was not at its end after ${LONGEST_MS / 1000} s`);
        }
      });
    });
  }

  /** Does something of its own: what goes wrong there is told, ends the runs, and is no failure of the test. */
  #guard<Result>(work: () => Result): Result | undefined {
    try {
      return withOwnBuiltins(work);
    } catch (error) {
      this.#calls.length = 0;
      say(lostMessage(this.#test.identity.name, error));
      return undefined;
    }
  }

  /** The next call of those that are left, whose first allocation fails next. */
  #begin(): void {
    while (this.#calls.length > 0 && !this.#injection.limitTo(this.#calls[0])) {
      this.#cut("the kernel has no such call");
      this.#calls.shift();
    }
    this.#nth = this.#only ?? 1;
  }

  #arm(): FaultReader {
    const reader = new FaultReader();
    this.#device.enable();
    this.#injection.arm(this.#nth);
    this.#device.reset();
    return reader;
  }

  #ran(reader: FaultReader, error?: unknown): void {
    const count = this.#device.count();
    const hasFailed = this.#injection.disarm(reader);
    this.#device.disable();
    reader[Symbol.dispose]();
    if (this.#nth === 0) {
      for (const pc of this.#ranInCall(count)) this.#known.add(pc);
      this.#nth = this.#only ?? 1;
      return;
    }
    const { identity: { name, file } } = this.#test;
    if (hasFailed) {
      const pcs = this.#ranInCall(count);
      this.#writer.add({
        name,
        file,
        runner: runtimeName(),
        call: this.#calls[0],
        nth: this.#nth,
        ...(error === undefined ? {} : { error: messageOf(error) }),
        pcs: pcs.filter((pc) => !this.#known.has(pc)),
      });
    }
    this.#nth++;
    const why = this.#nth > MOST_RUNS
      ? `${MOST_RUNS} allocations have failed`
      : performance.now() > this.#until
      ? `${LONGEST_MS / 1000} s have passed`
      : undefined;
    if (hasFailed && this.#only === undefined && why === undefined) return;
    if (hasFailed && why !== undefined) this.#cut(why);
    this.#calls.shift();
    this.#begin();
  }

  /** What ran in the call alone, where that is known: the runtime faults pages in and wakes threads meanwhile. */
  #ranInCall(count: number): Float64Array {
    const { pcs, origins } = this.#device.decode(0, count, callSplitter());
    if (origins === undefined) return pcs;
    const numbers = callsNamed(this.#machine, this.#calls[0]);
    const own = new Set<number>();
    for (const { origin, points } of origins) {
      if (numbers.includes(origin)) { for (const point of points) own.add(pcs[point]); }
    }
    return pcs.filter((pc) => own.has(pc));
  }

  #cut(why: string): void {
    const { identity: { name, file } } = this.#test;
    this.#writer.addCut({ name, file, call: this.#calls[0], why });
  }

  #close(): void {
    setFaultRuns(false);
    this.#opened.dispose();
  }
}

function lostMessage(name: string, error: unknown): string {
  return `failed allocations in test ${JSON.stringify(name)} are not recorded: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0].slice(0, 200);
}
