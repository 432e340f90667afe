import type { KcovUnavailableError } from "../../errors.ts";
import type { DecodedPcs } from "../../kcov/decode_pcs.ts";
import type { RecordKind, TestOutcome } from "../../record/test_record.ts";
import type { TestIdentity } from "../kernel_coverage.ts";
import type { RecordMode } from "../mode.ts";

/** A test that is recorded, as its recorder knows it. */
export interface Recording {
  /** PCs are missing, as far as is known. */
  readonly truncated: boolean;
  /** Some PCs may be another test's, as far as is known. */
  readonly shared: boolean;
}

/** What ran of a test: distinct PCs, with their counts or with what made the kernel run them, where that is known. */
export type RecordedPoints = DecodedPcs;

/** A test that begins. */
export interface TestStart {
  readonly identity: TestIdentity;
  readonly kind: RecordKind & ("test" | "baseline");
  /** What is recorded of it; what the environment asks for where absent. */
  readonly record?: RecordMode | undefined;
  /** The test that this one is a part of. */
  readonly around?: Recording | undefined;
  /** Called where the tests of the file end before this one does: ends it. */
  readonly giveUp?: (outcome: TestOutcome) => void;
}

/** How a test ended. */
export interface TestEnd {
  readonly outcome: TestOutcome;
  /** The body went on after the first iteration of the event loop. */
  readonly asynchronous: boolean;
  /** The runner gave the test up, such as after its timeout: its body may still run. */
  readonly left?: boolean;
}

/**
 * Records the tests of one thread. Behind it stand the thread's own device, a set of collectors, and the supervisor of a
 * command.
 */
export interface Recorder<Test extends Recording = Recording> {
  /** Whether it is known how often points ran. */
  readonly hasHits: boolean;
  /** Other threads of the process may work for other tests too; not where absent. */
  readonly threadsShared?: boolean;
  /** Whether a test within another has a record of its own, and the other one's has its points too. */
  readonly hasSteps: boolean;
  /** What the environment asks for where nothing can be recorded. */
  readonly mode: "auto" | "require" | "off";
  /** Why nothing is recorded; `undefined` where recording works. Opens what it needs when first asked. */
  unavailable(): KcovUnavailableError | undefined;
  /** Arranges for the end of the file. Call it where tests are declared, and again inside each. */
  prepare(insideTest: boolean): void;
  /**
   * Begins a test. Nothing of the hook's that runs before the return is recorded.
   *
   * @throws {KcovUnavailableError} Where it cannot be recorded.
   */
  begin(start: TestStart): Test;
  /**
   * Ends a test, first of all, and has its record written.
   *
   * @returns What ran, where that can still be told.
   * @throws {Error} Where coverage is required and the record was lost.
   */
  end(test: Test, end: TestEnd): RecordedPoints | undefined;
  /** Has the order of an open test's points kept too, from its begin on. Absent where that cannot be. */
  keepOrder?(test: Test): void;
  /** What ran so far of a test that is open; `undefined` where that cannot be told any more. */
  read(test: Test): RecordedPoints | undefined;
  /** Whether a pause takes no system call. */
  readonly pausesFreely: boolean;
  /** Runs `action`; what the calling thread does meanwhile is not recorded. */
  pause<Result>(action: () => Result): Result;
  /**
   * Runs `action`, which the library asks for and no test: what other threads do for it is not recorded either, as far as
   * that can be had. Where absent, {@linkcode pause} is as good.
   */
  setAside?<Result>(action: () => Result): Result;
  /** The body of a test that was given up has ended after all. */
  returned?(): void;
  /** Whether the empty tests of this process are still to be recorded: true once. */
  takesBaseline(): boolean;
  /** The empty tests of this process have been recorded. */
  keepBaseline?(): void;
}

// A preload and a test file may load this library twice, from two places: both must use one recorder.
const KEY = Symbol.for("kernelcov.recorder");
const shared = globalThis as { [KEY]?: Recorder };

/** The calling thread's recorder, made when first asked for. */
export function sharedRecorder<Other>(make: () => Recorder | Other): Recorder | Other {
  const known = shared[KEY];
  if (known !== undefined) return known;
  const made = make();
  if (isRecorder(made)) shared[KEY] = made;
  return made;
}

function isRecorder(made: unknown): made is Recorder {
  return typeof (made as Partial<Recorder>).begin === "function";
}
