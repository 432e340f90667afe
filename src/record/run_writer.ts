import { toHex } from "../base/byte_text.ts";
import { type AppendedFile, createFile, pathExists, removeFile } from "../sys/files.ts";
import { environmentVariable, runtimeName, runtimeVersion, workingFolder } from "../sys/runtime.ts";
import { formatInvocation, thisInvocation } from "./invocation.ts";
import {
  begunLine,
  endLine,
  headerLine,
  lateLine,
  moduleLine,
  recordLine,
  type RunLosses,
} from "./record_line.ts";
import { makeRunFolder, RECORDS_SUFFIX } from "./run_folder.ts";
import { removeReports } from "./run_reports.ts";
import { takesLateWork, withLateWork } from "./late_work.ts";
import type { RecordedPcs } from "../kcov/origin.ts";
import type { BegunTest, LateWork, RunKernel, RunModule, TestRecord } from "./test_record.ts";

/** PCs, and how long before now the first of them may have run. */
export type TimedPcs = RecordedPcs & Pick<TestRecord, "durationMs">;

/** Follows where the modules lie whose PCs records have. */
export interface FollowedModules {
  /** The modules that records have had PCs of until now, in their order in the run. */
  readonly modules: readonly RunModule[];
  /** How many they are. */
  readonly size: number;
  /** Looks which modules are loaded now. */
  observe(): void;
  /** The record with PCs of modules at their places in the run. */
  place<Recorded extends TimedPcs>(record: Recorded): Recorded;
}

/** How to open a run folder for writing. */
export interface OpenRunOptions {
  /** The kernel of the records, or what finds it out when the first is written. */
  readonly kernel: RunKernel | (() => RunKernel);
  /**
   * The modules that the records have PCs of: those that are followed, where records have raw PCs, or those of the run
   * that the records were read from. None by default.
   */
  readonly modules?: FollowedModules | readonly RunModule[] | undefined;
  /** What the records are of together; by default this invocation. */
  readonly run?: string | undefined;
  /** The kernel's image; by default that of `KERNELCOV_VMLINUX`. */
  readonly image?: string | undefined;
  /**
   * Opens what brings a file's written bytes out of this kernel's memory, where that may crash before it writes them
   * back by itself; called with the path of each record file. By default nothing does.
   */
  readonly writeThrough?: ((path: string) => WriteThrough | undefined) | undefined;
  /** Makes the writer's file; as the runtime makes files by default. */
  readonly create?: (path: string) => AppendedFile;
}

/** Brings what was written to one file out of the kernel's memory. */
export interface WriteThrough {
  write(): void;
  close(): void;
}

/** A file that is not made yet. */
interface PreparedFile {
  readonly path: string;
  /** Its first line. */
  readonly line: string;
}

/** A line that is written with the next. */
interface LaterLine {
  /** How many records it is. */
  readonly records: number;
  /** Told where it cannot be written. */
  onLost(error: unknown): void;
}

/** Appends records to a run folder, in a file of its own. */
export class RunWriter implements Disposable {
  /** The folder. */
  readonly directory: string;
  readonly #options: OpenRunOptions;
  readonly #places: FollowedModules | undefined;
  readonly #modules: readonly RunModule[];
  #prepared: PreparedFile | undefined;
  #file: AppendedFile | undefined;
  #through: WriteThrough | undefined;
  #path = "";
  readonly #encoder = new TextEncoder();
  /** Bytes of the file's whole lines. */
  #size = 0;
  /** Bytes of the file up to its last record. */
  #recordsEnd = 0;
  #tornLine = false;
  /** How many of the modules are in the file. */
  #modulesWritten = 0;
  #records = 0;
  /** Records that are of no use without a test, with their numbers, held until there is one. */
  readonly #held: { record: TestRecord; readonly number: number; line: string }[] = [];
  /** Lines that are written with the next, and who is told where they cannot be. */
  #later = "";
  readonly #laterLines: LaterLine[] = [];
  /** Number of the next record: no two of this writer have the same. */
  #next = 0;
  /** When the tests of the records began that can have late work, by the records' numbers. */
  readonly #began = new Map<number, number>();

  constructor(directory: string, options: OpenRunOptions) {
    this.directory = directory;
    this.#options = options;
    const { modules = [] } = options;
    this.#places = "place" in modules ? modules : undefined;
    this.#modules = "place" in modules ? [] : modules;
  }

  /**
   * Appends a record in one write, so that a crash loses no earlier record and leaves at most one cut line. A record
   * that does not fit on the disk leaves nothing, and the next is tried again. What ran in empty tests or outside of
   * tests is written with the first test: a run of no tests leaves no file, and so replaces nothing.
   *
   * @returns Its number, for {@linkcode RunWriter.addLate}.
   * @throws {Error} The file system's own error, such as `ENOSPC`.
   */
  append(record: TestRecord): number {
    const placed = this.#places?.place(record) ?? record;
    const number = this.#next++;
    if (this.#file === undefined && (record.kind === "baseline" || record.kind === "outside")) {
      this.#held.push({ record: placed, number, line: lineOf(placed, number) });
    } else {
      this.#put(this.#openFile(), lineOf(placed, number));
      this.#through?.write();
    }
    this.#noteBegan(record, number);
    return number;
  }

  /**
   * Appends a record together with what is written next: a file in a guest is written to its host each time, which takes
   * longer than a short test. What is written at the latest when the file is closed.
   *
   * @param onLost Told where it could not be written.
   * @returns As `append`.
   * @throws {Error} As `append`, where there is no file yet.
   */
  appendLater(record: TestRecord, onLost: (error: unknown) => void): number {
    if (this.#file === undefined) return this.append(record);
    const placed = this.#places?.place(record) ?? record;
    this.#writeModules(this.#file);
    const number = this.#next++;
    this.#later += lineOf(placed, number);
    this.#records++;
    this.#laterLines.push({ records: 1, onLost });
    this.#noteBegan(record, number);
    return number;
  }

  #noteBegan(record: TestRecord, number: number): void {
    if (!takesLateWork(record)) return;
    // The clock is a system call in a guest, and only modules move with time.
    const began = this.#places === undefined ? 0 : performance.now() - record.durationMs;
    this.#began.set(number, began);
  }

  /**
   * Adds to a record what ran on its test's behalf since. There may be several additions to one record.
   *
   * @param number What `append` returned.
   * @param onLost If given, it is written with what is written next, and this is told where it could not be.
   * @throws {TypeError} Where that record has no origins, or its file has ended.
   * @throws {Error} As `append`: then the record stays as it was.
   */
  addLate(number: number, late: LateWork, onLost?: (error: unknown) => void): void {
    const began = this.#began.get(number);
    if (began === undefined) {
      throw new TypeError(
        `Record ${number} takes no late work: it must be one of this file, in tree scope and with origins`,
      );
    }
    const placed = this.#places === undefined
      ? late
      : this.#places.place({ ...late, hits: null, durationMs: performance.now() - began });
    const held = this.#held.find((one) => one.number === number);
    if (held !== undefined) {
      held.record = withLateWork(held.record, placed);
      held.line = lineOf(held.record, number);
      return;
    }
    const line = lateLine(number, placed);
    if (onLost !== undefined && this.#file !== undefined) {
      this.#writeModules(this.#file);
      this.#later += line;
      this.#laterLines.push({ records: 0, onLost });
      return;
    }
    const file = this.#openFile();
    this.#writeModules(file);
    this.#write(file, line);
    this.#recordsEnd = this.#size;
    this.#through?.write();
  }

  /**
   * Says that a test begins: where no record of it follows, it was cut short.
   *
   * @throws {Error} As `append`.
   */
  begin(test: BegunTest): void {
    this.#write(this.#openFile(), begunLine(test));
    this.#through?.write();
  }

  #openFile(): AppendedFile {
    const file = this.#file === undefined ? this.#create() : this.#reopen(this.#file);
    this.#file = file;
    for (let held = this.#held[0]; held !== undefined; held = this.#held[0]) {
      this.#put(file, held.line);
      this.#held.shift();
    }
    return file;
  }

  /** A test that closes all descriptors closes this one too. Nothing may go to the file that has its number then. */
  #reopen(file: AppendedFile): AppendedFile {
    if (file.isOpen?.() !== false) return file;
    this.#through = undefined; // its descriptor went the same way
    file.reopen?.();
    this.#through = this.#options.writeThrough?.(this.#path);
    return file;
  }

  #put(file: AppendedFile, line: string): void {
    this.#writeModules(file);
    this.#write(file, line);
    this.#records++;
    this.#recordsEnd = this.#size;
  }

  /**
   * Ends the file with a line that says so, and closes it. A later `append` begins another.
   *
   * @param losses What else is missing: records that could not be written, or that were missing in the runs it merges.
   * @throws {TypeError} Where the file was removed meanwhile, and its records with it.
   * @throws {Error} The file system's own error: the file then looks cut, as it is.
   */
  close(losses: Partial<RunLosses> = {}): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    this.#began.clear();
    try {
      this.#reopen(file);
      this.#places?.observe();
      this.#writeModules(file);
      if (this.#later !== "") this.#write(file, "");
      this.#writeEnd(file, { lost: 0, damaged: 0, cut: [], ...losses });
      this.#through?.write();
    } finally {
      file.close();
      this.#through?.close();
      this.#through = undefined;
    }
    if (!pathExists(this.#path)) {
      throw new TypeError(
        `All ${this.#records} records are lost: ${this.#path} was removed while tests ran: leave that folder alone`,
      );
    }
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #writeEnd(file: AppendedFile, losses: RunLosses): void {
    const line = endLine({ records: this.#records, ...losses });
    try {
      this.#write(file, line);
    } catch (error) {
      if (losses.lost === 0 || this.#recordsEnd === 0) throw error;
      // On a full disk, the tests that began behind the last record make room: their records are lost.
      file.truncate(this.#recordsEnd);
      this.#size = this.#recordsEnd;
      this.#tornLine = false;
      this.#write(file, line);
    }
  }

  /**
   * Finds out what the file's first line says. The first test then begins sooner; without a call it is done for that.
   *
   * @throws {Error} The file system's own error.
   */
  prepare(): void {
    this.#prepared ??= this.#firstLine();
  }

  #firstLine(): PreparedFile {
    // Not of node:crypto, which takes longer to load than the rest of this library.
    const random = toHex(crypto.getRandomValues(new Uint8Array(6)));
    const own = formatInvocation(thisInvocation());
    const path = `${this.directory}/${own}.${random}${RECORDS_SUFFIX}`;
    const { kernel: known, run = own, image = namedImage() } = this.#options;
    const kernel = typeof known === "function" ? known() : known;
    const writer = `${runtimeName()} ${runtimeVersion()}`;
    return { path, line: headerLine({ kernel, writer, run, startedAt: Date.now(), image }) };
  }

  #create(): AppendedFile {
    const { path, line } = this.#prepared ?? this.#firstLine();
    this.#prepared = undefined;
    makeRunFolder(this.directory);
    const { create = createFile } = this.#options;
    const file = create(path);
    this.#path = path;
    this.#size = 0;
    this.#recordsEnd = 0;
    this.#records = 0;
    this.#modulesWritten = 0;
    try {
      this.#write(file, line);
    } catch (error) {
      file.close();
      removeFile(path);
      throw error;
    }
    this.#through = this.#options.writeThrough?.(path);
    removeReports(this.directory);
    return file;
  }

  #writeModules(file: AppendedFile): void {
    if (this.#modulesWritten === (this.#places?.size ?? this.#modules.length)) return;
    const modules = this.#places?.modules ?? this.#modules;
    for (const module of modules.slice(this.#modulesWritten)) {
      this.#write(file, moduleLine(module));
      this.#modulesWritten++;
    }
  }

  #write(file: AppendedFile, line: string): void {
    const later = this.#later;
    if (later === "") return this.#writeLine(file, line);
    this.#later = "";
    const lines = this.#laterLines.splice(0);
    const before = this.#size;
    try {
      this.#writeLine(file, later + line);
      this.#recordsEnd = this.#size - this.#encoder.encode(line).length;
    } catch (error) {
      this.#writeApart(file, later, lines);
      if (line !== "" && this.#size > before) throw error;
      if (line !== "") this.#writeLine(file, line);
    }
  }

  /** Writes what was left for later without the line that it does not fit with. */
  #writeApart(file: AppendedFile, later: string, lines: readonly LaterLine[]): void {
    try {
      this.#writeLine(file, later);
      this.#recordsEnd = this.#size;
    } catch (error) {
      for (const { records, onLost } of lines) {
        this.#records -= records;
        onLost(error);
      }
    }
  }

  #writeLine(file: AppendedFile, line: string): void {
    // What a full disk cut off must not swallow the record after it.
    const bytes = this.#encoder.encode(this.#tornLine ? `\n${line}` : line);
    let written = 0;
    try {
      while (written < bytes.length) written += file.write(bytes.subarray(written));
    } catch (error) {
      if (written > 0) this.#cutOff(file);
      throw error;
    }
    this.#tornLine = false;
    this.#size += bytes.length;
  }

  /** Takes back a part of a line. */
  #cutOff(file: AppendedFile): void {
    try {
      file.truncate(this.#size);
    } catch {
      this.#tornLine = true;
    }
  }
}

function lineOf(record: TestRecord, number: number): string {
  return recordLine(record, takesLateWork(record) ? number : undefined);
}

function namedImage(): string | undefined {
  const path = environmentVariable("KERNELCOV_VMLINUX");
  if (path === undefined || path === "") return undefined;
  if (path.startsWith("/")) return path;
  try {
    return `${workingFolder()}/${path}`;
  } catch {
    return undefined; // Deno without permission to read
  }
}

/**
 * Opens a run folder for writing, and makes it where there is none. The file of this writer is made by its first
 * record.
 *
 * @throws {TypeError} It is a symbolic link.
 * @throws {Error} The file system's own error.
 */
export function openRun(directory: string, options: OpenRunOptions): RunWriter {
  makeRunFolder(directory);
  return new RunWriter(directory, options);
}
