import { KcovUnavailableError, type KcovUnavailableReason, SyscallError } from "../../errors.ts";
import type { DecodedPcs } from "../../kcov/decode_pcs.ts";
import { kcovAvailability, NO_CALLBACKS } from "../../kernel/kcov_availability.ts";
import type { KcovDevice } from "../../kcov/kcov_device.ts";
import { abandonThreadDevice, closeThreadDevice, threadDevice } from "../../kcov/thread_device.ts";
import { loadLibc } from "../../sys/load.ts";
import type { Libc } from "../../sys/types.ts";
import { createUnseenFile } from "../../sys/unseen_file.ts";
import { followModules } from "../../kernel/follow_modules.ts";
import { runningKernel } from "../../kernel/running_kernel.ts";
import { hostfsWriteThrough } from "../../record/hostfs_write_through.ts";
import type { ModulePlaces } from "../../kernel/module_places.ts";
import { endRecords, LostRecords } from "../../record/lost_records.ts";
import { openRun, type RunWriter } from "../../record/run_writer.ts";
import type { BegunTest, TestOutcome, TestRecord } from "../../record/test_record.ts";
import { type CoverageSettings, coverageSettings } from "../coverage_settings.ts";
import { say } from "../../record/say_once.ts";

/**
 * The part of the thread's buffer that belongs to one test: entries `start` to `end`. Windows of tests that are open
 * at the same time overlap.
 */
export interface RecordingWindow {
  start: number;
  /** Where it ended; -1 while it is open. */
  end: number;
  /** Another window was open at the same time. */
  shared: boolean;
  /** The buffer was full when it ended. */
  truncated: boolean;
}

/** Whose window it is. */
export interface WindowOwner {
  /** Noted as started, once it is certain that it will be recorded. */
  readonly test?: BegunTest;
  /** Called where the tests of the file end before the window's does. */
  readonly giveUp?: () => void;
}

/**
 * The recording of one thread: its device, the windows open on it, and the file its records go to. Everything opens
 * on first use and closes when the tests of a file end.
 */
export class RecordingThread {
  readonly #settings: CoverageSettings;
  readonly #openLibc: () => Libc;
  /** Open windows, and what ends the tests that they belong to. */
  readonly #windows = new Map<RecordingWindow, () => void>();
  #device: KcovDevice | undefined;
  #writer: RunWriter | undefined;
  #modules: ModulePlaces | undefined;
  readonly #lost = new LostRecords();
  #unavailable: KcovUnavailableError | undefined;

  /**
   * @param settings What the environment asks for.
   * @param open Opens libc; tests give another.
   */
  constructor(settings: CoverageSettings = coverageSettings(), open: () => Libc = loadLibc) {
    this.#settings = settings;
    this.#openLibc = open;
  }

  get settings(): CoverageSettings {
    return this.#settings;
  }

  /** Whether records were written that no report holds yet. */
  get hasRecords(): boolean {
    return this.#writer !== undefined;
  }

  /** Why nothing is recorded; `undefined` where recording works. Opens the device when first asked. */
  unavailable(): KcovUnavailableError | undefined {
    if (this.#device !== undefined) return undefined;
    if (this.#unavailable === undefined) this.#open();
    return this.#unavailable;
  }

  /**
   * Opens a window. Resets the buffer last, so that the window holds nothing of the hook.
   *
   * @throws {KcovUnavailableError} Where another device or a tracer records this thread.
   */
  begin(window: RecordingWindow, { test, giveUp = () => {} }: WindowOwner = {}): void {
    const device = this.#device;
    if (device === undefined) throw this.#unavailable ?? new TypeError("Open the thread first");
    if (this.#windows.size > 0) {
      for (const other of this.#windows.keys()) other.shared = true;
      window.shared = true;
      this.#windows.set(window, giveUp);
      if (test !== undefined) this.#announce(test);
      window.start = device.count();
      return;
    }
    const enabled = this.#enable(device);
    this.#windows.set(window, giveUp);
    if (test !== undefined) this.#announce(test);
    enabled.reset();
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
  end(window: RecordingWindow): void {
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
  decode(window: RecordingWindow): DecodedPcs {
    const device = this.#device;
    if (device === undefined) throw new TypeError("Read the coverage before the file's tests end");
    const end = window.end === -1 ? device.count() : window.end;
    return device.pause(() => device.decode(window.start, end));
  }

  /** Runs `action` unrecorded. */
  pause<Result>(action: () => Result): Result {
    return this.#device === undefined ? action() : this.#device.pause(action);
  }

  /** Appends a record. What this does is not recorded in other windows. */
  append(record: TestRecord): void {
    this.pause(() => this.#openWriter().append(record));
  }

  /**
   * Notes that a test has no record, and why; it is said when the file's tests end. Where coverage is required, a test
   * that passed fails by it.
   */
  reportLost(name: string, outcome: TestOutcome, error: unknown): void {
    if (this.#settings.mode === "require" && outcome === "passed") throw error;
    this.#lost.add(name, error);
  }

  /** Closes the device and the record file, and says what was lost. A later test opens them again. */
  close(): void {
    for (const giveUp of [...this.#windows.values()]) giveUp();
    this.#windows.clear();
    this.#device = undefined;
    closeThreadDevice();
    const writer = this.#writer;
    this.#writer = undefined;
    const told = endRecords(writer, this.#lost, this.#settings.runDirectory);
    if (told !== undefined) say(told);
    this.#lost.clear();
  }

  #announce(test: BegunTest): void {
    this.pause(() => {
      try {
        this.#openWriter().begin(test);
      } catch {
        // A folder that takes no line takes no record either, and that is said.
      }
    });
  }

  #openWriter(): RunWriter {
    if (this.#writer !== undefined) return this.#writer;
    const { runDirectory, run } = this.#settings;
    this.#writer = openRun(runDirectory, {
      kernel: runningKernel,
      run,
      modules: this.#modules,
      create: (path) => createUnseenFile(loadLibc(), path),
      writeThrough: (path) => hostfsWriteThrough(this.#openLibc(), path),
    });
    return this.#writer;
  }

  #open(): void {
    if (this.#settings.mode === "off") {
      this.#unavailable = new KcovUnavailableError(
        "not-permitted",
        "Coverage is turned off: unset KERNELCOV",
      );
      return;
    }
    try {
      this.#device = threadDevice({ words: this.#settings.words, libc: this.#openLibc() });
      this.#warmUp();
      this.#modules ??= followModules();
    } catch (error) {
      this.#device = undefined;
      this.#unavailable = explain(error);
    }
  }

  /**
   * Opens windows around a failing system call, so that the first test does not record first-time work of the hook, and
   * a kernel with the device but without coverage calls in its code is noticed.
   */
  #warmUp(): void {
    const libc = this.#openLibc();
    for (let round = 0; round < 3; round++) {
      const window = newWindow();
      this.begin(window);
      libc.read(-1, null, 0n);
      this.end(window);
      if (this.decode(window).pcs.length > 0) continue;
      closeThreadDevice();
      throw new KcovUnavailableError("no-callbacks", NO_CALLBACKS);
    }
  }
}

/** A window that is not open yet. */
export function newWindow(): RecordingWindow {
  return { start: 0, end: -1, shared: false, truncated: false };
}

/** Why the device is unavailable, in words that say what to change. */
function explain(error: unknown): KcovUnavailableError {
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
