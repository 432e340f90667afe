import { KcovUnavailableError, type KcovUnavailableReason, SyscallError } from "../../errors.ts";
import { kcovAvailability, NO_CALLBACKS } from "../../kernel/kcov_availability.ts";
import type { KcovDevice } from "../../kcov/kcov_device.ts";
import type { CallEntries } from "../../kcov/call_entries.ts";
import { CallSplitter } from "../../kcov/split_calls.ts";
import { runningCallEntries } from "../../kernel/entry_functions.ts";
import { runningKernel } from "../../kernel/running_kernel.ts";
import { abandonThreadDevice, closeThreadDevice, threadDevice } from "../../kcov/thread_device.ts";
import { loadLibc } from "../../sys/load.ts";
import { runtimeName } from "../../sys/runtime.ts";
import type { Libc } from "../../sys/types.ts";
import { type CoverageSettings, coverageSettings } from "../coverage_settings.ts";
import type { TestRecord } from "../../record/test_record.ts";
import type { TestIdentity } from "../kernel_coverage.ts";
import { environmentMode } from "../mode.ts";
import { atEndOfFile } from "./end_of_file.ts";
import type { RecordedPoints, Recorder, Recording, TestEnd, TestStart } from "./recorder.ts";
import { ThreadRecords } from "./thread_records.ts";

/**
 * The part of the thread's buffer that belongs to one test: entries `start` to `end`. Windows of tests that are open
 * at the same time overlap.
 */
export interface RecordingWindow extends Recording {
  readonly identity: TestIdentity;
  readonly startedMs: number;
  start: number;
  /** Where it ended; -1 while it is open. */
  end: number;
  shared: boolean;
  truncated: boolean;
  /** Whether the order of its points is kept. */
  ordered: boolean;
}

/**
 * Records one thread with its own device, every hit in one buffer. Everything opens on first use and closes when the
 * tests of a file end.
 */
export class ThreadRecorder implements Recorder<RecordingWindow> {
  readonly hasHits = true;
  readonly hasSteps = false;
  readonly pausesFreely = true;
  readonly #settings: CoverageSettings;
  readonly #openLibc: () => Libc;
  /** Open windows, and what ends the tests that they belong to. */
  readonly #windows = new Map<RecordingWindow, () => void>();
  readonly #callEntries: () => CallEntries | undefined;
  /** Tells by which calls points ran; absent where the kernel's symbols cannot be had. */
  #calls: CallSplitter | undefined;
  readonly #records: ThreadRecords;
  #device: KcovDevice | undefined;
  #unavailable: KcovUnavailableError | undefined;

  /**
   * @param settings What the environment asks for.
   * @param open Opens libc; tests give another.
   * @param entries Finds in which functions the kernel is entered.
   */
  constructor(
    settings: CoverageSettings = coverageSettings(),
    open: () => Libc = loadLibc,
    entries: () => CallEntries | undefined = () => runningCallEntries(runningKernel()),
  ) {
    this.#settings = settings;
    this.#openLibc = open;
    this.#callEntries = entries;
    this.#records = new ThreadRecords(settings, loadLibc);
  }

  get mode(): CoverageSettings["mode"] {
    return this.#settings.mode;
  }

  unavailable(): KcovUnavailableError | undefined {
    if (this.#device !== undefined) return undefined;
    if (this.#unavailable === undefined) this.#open();
    return this.#unavailable;
  }

  prepare(insideTest: boolean): void {
    if (this.mode === "off" || this.unavailable() !== undefined) return;
    atEndOfFile(this, this.#settings, insideTest);
  }

  /** Opens a window. Resets the buffer last, so that the window holds nothing of the hook. */
  begin(
    { identity, record = environmentMode(), giveUp = () => {} }: TestStart,
  ): RecordingWindow {
    const window = newWindow(identity);
    window.ordered = record === "trace";
    // A body that outlives its file's tests is of a test that the runner gave up.
    const reset = this.#openWindow(window, () => giveUp("failed"));
    this.pause(() => {
      const { name, file } = identity;
      const runner = runtimeName();
      this.#records.announce({ name, file, runner, scope: "thread", hasHits: true });
    });
    reset();
    return window;
  }

  /** What makes the window begin. */
  #openWindow(window: RecordingWindow, giveUp: () => void): () => void {
    const device = this.#device;
    if (device === undefined) throw this.#unavailable ?? new TypeError("Open the thread first");
    if (this.#windows.size > 0) {
      for (const other of this.#windows.keys()) other.shared = true;
      window.shared = true;
      this.#windows.set(window, giveUp);
      return () => window.start = device.count();
    }
    const enabled = this.#enable(device);
    this.#windows.set(window, giveUp);
    return () => enabled.reset();
  }

  /** Enables the thread's device, or another where a test has closed its descriptor between two tests. */
  #enable(device: KcovDevice): KcovDevice {
    try {
      device.enable();
      return device;
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
    }
    try {
      abandonThreadDevice();
      this.#device = threadDevice({ words: this.#settings.words, libc: this.#openLibc() });
      this.#device.enable();
      return this.#device;
    } catch (cause) {
      this.#device = undefined;
      // A device that was closed while recording cannot be disabled, so no other can be enabled.
      this.#unavailable = new KcovUnavailableError(
        "busy",
        "A test has closed the coverage device, and this thread cannot open another: " +
          "let tests close only descriptors that they opened",
        { cause },
      );
      throw this.#unavailable;
    }
  }

  /** Closes a window. The first thing it does is to read the count. */
  end(window: RecordingWindow, { outcome, asynchronous }: TestEnd): RecordedPoints | undefined {
    this.#closeWindow(window);
    const { identity, truncated, shared } = window;
    try {
      const durationMs = performance.now() - window.startedMs;
      const points = this.read(window);
      if (points === undefined) throw new TypeError("The file's tests have ended");
      const flags = { truncated, shared, callingThreadOnly: asynchronous };
      const runner = runtimeName();
      const test = { ...identity, runner, scope: "thread", outcome, durationMs } as const;
      this.pause(() =>
        this.#records.append({ ...test, ...points, ...flags, ...this.#orderOf(window, points) })
      );
      return points;
    } catch (error) {
      this.#records.reportLost(identity.name, outcome, error);
      return undefined;
    }
  }

  #orderOf(
    { ordered, start, end }: RecordingWindow,
    { pcs }: RecordedPoints,
  ): Pick<TestRecord, "order"> {
    return ordered ? { order: this.#device!.order(start, end, pcs) } : {};
  }

  keepOrder(window: RecordingWindow): void {
    window.ordered = true;
  }

  #closeWindow(window: RecordingWindow): void {
    const device = this.#device;
    if (device === undefined || window.end !== -1) return;
    window.end = device.count();
    window.truncated = window.end === device.capacity;
    this.#windows.delete(window);
    if (this.#windows.size > 0) return;
    try {
      device.disable();
    } catch (error) {
      // The test has closed the device. What it recorded is in memory all the same; the next test will tell.
      if (!(error instanceof SyscallError)) throw error;
    }
  }

  /** The PCs of a window, up to now where it is open. What this does is not recorded. */
  read(window: RecordingWindow): RecordedPoints | undefined {
    const device = this.#device;
    if (device === undefined) return undefined;
    const end = window.end === -1 ? device.count() : window.end;
    return device.pause(() => device.decode(window.start, end, this.#calls));
  }

  pause<Result>(action: () => Result): Result {
    return this.#device === undefined ? action() : this.#device.pause(action);
  }

  takesBaseline(): boolean {
    return false;
  }

  /** Whether records were written that no report holds yet. */
  get hasRecords(): boolean {
    return this.#records.any;
  }

  /** Closes the device and the record file, and says what was lost. A later test opens them again. */
  close(): void {
    for (const giveUp of [...this.#windows.values()]) giveUp();
    this.#windows.clear();
    this.#device = undefined;
    closeThreadDevice();
    this.#records.close();
  }

  #open(): void {
    if (this.mode === "off") {
      this.#unavailable = turnedOff();
      return;
    }
    try {
      this.#device = threadDevice({ words: this.#settings.words, libc: this.#openLibc() });
      this.#calls ??= this.#callSplitter();
      this.#warmUp();
      this.#records.followModules();
    } catch (error) {
      this.#device = undefined;
      this.#unavailable = explain(error);
    }
  }

  #callSplitter(): CallSplitter | undefined {
    try {
      const entries = this.#callEntries();
      return entries && new CallSplitter(entries);
    } catch {
      return undefined; // Not permitted to look.
    }
  }

  /**
   * Opens windows around a failing system call, so that the first test does not record first-time work of the hook, and
   * a kernel with the device but without coverage calls in its code is noticed.
   */
  #warmUp(): void {
    const libc = this.#openLibc();
    for (let round = 0; round < 3; round++) {
      const window = newWindow({ name: "", file: "" });
      this.#openWindow(window, () => {})();
      libc.read(-1, null, 0n);
      this.#closeWindow(window);
      if (this.read(window)!.pcs.length > 0) continue;
      closeThreadDevice();
      throw new KcovUnavailableError("no-callbacks", NO_CALLBACKS);
    }
  }
}

/** A window that is not open yet. */
function newWindow(identity: TestIdentity): RecordingWindow {
  const startedMs = performance.now();
  return {
    identity,
    startedMs,
    start: 0,
    end: -1,
    shared: false,
    truncated: false,
    ordered: false,
  };
}

/** Coverage is turned off by the environment. */
export function turnedOff(): KcovUnavailableError {
  return new KcovUnavailableError("not-permitted", "Coverage is turned off: unset KERNELCOV");
}

/** Why the device is unavailable, in words that say what to change. */
export function explain(error: unknown): KcovUnavailableError {
  if (error instanceof KcovUnavailableError) return error;
  if (error instanceof SyscallError) {
    const { available, reason, message } = kcovAvailability();
    if (!available && reason !== undefined) {
      return new KcovUnavailableError(reason, message, { cause: error });
    }
  }
  const reason: KcovUnavailableReason = "not-permitted";
  const message = error instanceof Error ? error.message : String(error);
  return new KcovUnavailableError(reason, message, { cause: error });
}
