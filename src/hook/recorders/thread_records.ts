import { followModules } from "../../kernel/follow_modules.ts";
import type { ModulePlaces } from "../../kernel/module_places.ts";
import { runningKernel } from "../../kernel/running_kernel.ts";
import { hostfsWriteThrough } from "../../record/hostfs_write_through.ts";
import { endRecords, LostRecords } from "../../record/lost_records.ts";
import { openRun, type RunWriter } from "../../record/run_writer.ts";
import { say } from "../../record/say_once.ts";
import type { BegunTest, LateWork, TestOutcome, TestRecord } from "../../record/test_record.ts";
import type { LibcPart } from "../../sys/types.ts";
import { createUnseenFile } from "../../sys/unseen_file.ts";
import type { CoverageSettings } from "../coverage_settings.ts";

/** What writing records calls. */
export type RecordsLibc = LibcPart<"open" | "write" | "close" | "fstat">;

/** The file that a thread writes its records to: opened with the first, closed when the tests of a file end. */
export class ThreadRecords {
  readonly #settings: CoverageSettings;
  readonly #libc: () => RecordsLibc;
  #writer: RunWriter | undefined;
  #any = false;
  #modules: ModulePlaces | undefined;
  readonly #lost = new LostRecords();

  /** @param libc opens libc */
  constructor(settings: CoverageSettings, libc: () => RecordsLibc) {
    this.#settings = settings;
    this.#libc = libc;
  }

  /** Whether records were written that no report holds yet. */
  get any(): boolean {
    return this.#any;
  }

  /** Follows the kernel's modules from now on. */
  followModules(): void {
    this.#modules ??= followModules();
  }

  /** Does what takes time of it before the first test, which may have little. */
  prepare(): void {
    try {
      this.#open().prepare();
    } catch {
      // The first record tells.
    }
  }

  /** Notes that a test begins. */
  announce(test: BegunTest): void {
    try {
      this.#any = true;
      this.#open().begin(test);
    } catch {
      // A folder that takes no line takes no record either, and that is said.
    }
  }

  /**
   * Appends a record.
   *
   * @returns What late work names it by.
   * @throws {Error} The file system's own error.
   */
  append(record: TestRecord): number {
    this.#any = true;
    return this.#open().append(record);
  }

  /**
   * Appends a record with what is written next, which no crash of a later test forestalls; at once where coverage is
   * required, as a lost record is the test's failure then.
   *
   * @returns As `append`.
   * @throws {Error} As `append`.
   */
  appendLater(record: TestRecord): number {
    if (this.#settings.mode === "require") return this.append(record);
    return this.#open().appendLater(record, (error) => this.#lost.add(record.name, error));
  }

  /**
   * Appends what ran on behalf of a test whose record is written.
   *
   * @param isTold The record says that something may be missing.
   */
  addLate(name: string, number: number, late: LateWork, isTold: boolean): void {
    this.#open().addLate(number, late, (error) => {
      if (!isTold) this.#lost.add(name, error);
    });
  }

  /**
   * Notes that a test has no record, and why; it is said when the file's tests end. Where coverage is required, a test
   * that passed fails by it.
   */
  reportLost(name: string, outcome: TestOutcome, error: unknown): void {
    if (this.#settings.mode === "require" && outcome === "passed") throw error;
    this.#lost.add(name, error);
  }

  /** Closes the file, and says what was lost. A later test opens another. */
  close(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    this.#any = false;
    const told = endRecords(writer, this.#lost, this.#settings.runDirectory);
    if (told !== undefined) say(told);
    this.#lost.clear();
  }

  #open(): RunWriter {
    if (this.#writer !== undefined) return this.#writer;
    const { runDirectory, run } = this.#settings;
    this.#writer = openRun(runDirectory, {
      kernel: runningKernel,
      run,
      modules: this.#modules,
      create: (path) => createUnseenFile(this.#libc(), path),
      writeThrough: (path) => hostfsWriteThrough(this.#libc(), path),
    });
    return this.#writer;
  }
}
