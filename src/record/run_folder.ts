import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { runtimeName, runtimeVersion } from "../sys/runtime.ts";
import { formatInvocation, isAlive, parseInvocation, thisInvocation } from "./invocation.ts";
import { headerLine, moduleLine, recordLine } from "./record_line.ts";
import type { ModulePlaces } from "./module_places.ts";
import { runningKernel } from "./running_kernel.ts";
import type { RunKernel, RunModule, TestRecord } from "./test_record.ts";

// One file per writer (a thread of a process), so that writers need no lock:
//   <invocation>.<random>.records

const SUFFIX = ".records";

/** Where records go when nobody says where. */
export const DEFAULT_RUN_FOLDER = "coverage/kernel/run";

/** How to open a run folder for writing. */
export interface OpenRunOptions {
  /** The kernel of the records; default the running one. */
  readonly kernel?: RunKernel;
  /**
   * The modules that the records have PCs of: those that are followed, where records have raw PCs, or those of the run
   * that the records were read from. None by default.
   */
  readonly modules?: ModulePlaces | readonly RunModule[] | undefined;
  /** Remove the records of earlier invocations that have ended. */
  readonly replace?: boolean;
}

/** Appends records to a run folder, in a file of its own. */
export class RunWriter implements Disposable {
  /** The folder. */
  readonly directory: string;
  readonly #kernel: RunKernel | undefined;
  readonly #places: ModulePlaces | undefined;
  readonly #modules: readonly RunModule[];
  #fd: number | undefined;
  #tornLine = false;
  /** How many of the modules are in the file. */
  #modulesWritten = 0;

  constructor(directory: string, { kernel, modules = [] }: OpenRunOptions) {
    this.directory = directory;
    this.#kernel = kernel;
    this.#places = "place" in modules ? modules : undefined;
    this.#modules = "place" in modules ? [] : modules;
  }

  /**
   * Appends a record in one write, so that a crash loses no earlier record and leaves at most one cut line.
   *
   * @throws {Error} The file system's own error, such as `ENOSPC`.
   */
  append(record: TestRecord): void {
    const placed = this.#places?.place(record) ?? record;
    this.#fd ??= this.#create();
    this.#writeModules(this.#fd);
    this.#write(this.#fd, recordLine(placed));
  }

  /** Closes the file. A later `append` begins another. */
  close(): void {
    if (this.#fd === undefined) return;
    this.#places?.observe();
    this.#writeModules(this.#fd);
    closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #create(): number {
    // Not of node:crypto, which takes longer to load than the rest of this library.
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex");
    const name = `${formatInvocation(thisInvocation())}.${random}${SUFFIX}`;
    const fd = openSync(join(this.directory, name), "ax");
    const kernel = this.#kernel ?? runningKernel();
    this.#write(fd, headerLine({ kernel, writer: `${runtimeName()} ${runtimeVersion()}` }));
    this.#modulesWritten = 0;
    return fd;
  }

  #writeModules(fd: number): void {
    if (this.#modulesWritten === (this.#places?.size ?? this.#modules.length)) return;
    const modules = this.#places?.modules ?? this.#modules;
    for (const module of modules.slice(this.#modulesWritten)) this.#write(fd, moduleLine(module));
    this.#modulesWritten = modules.length;
  }

  #write(fd: number, line: string): void {
    // What a full disk cut off must not swallow the record after it.
    const bytes = Buffer.from(this.#tornLine ? `\n${line}` : line);
    this.#tornLine = true;
    let written = 0;
    while (written < bytes.length) written += writeSync(fd, bytes, written);
    this.#tornLine = false;
  }
}

/**
 * Opens a run folder for writing, and makes it where there is none. The file of this writer is made by its first
 * record.
 *
 * @throws {Error} The file system's own error.
 */
export function openRun(directory: string, options: OpenRunOptions = {}): RunWriter {
  mkdirSync(directory, { recursive: true });
  if (options.replace) removeEndedInvocations(directory);
  return new RunWriter(directory, options);
}

/**
 * Makes a run folder without records: those of an earlier run are removed, and nothing else that may lie there.
 *
 * @throws {Error} The file system's own error.
 */
export function clearRun(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of recordFiles(directory)) unlinkSync(join(directory, name));
}

/** Appends one record; the same as the writer's own method. */
export function appendRecord(writer: RunWriter, record: TestRecord): void {
  writer.append(record);
}

/** Names of a run folder's record files, in order. */
export function recordFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith(SUFFIX)).sort();
}

/** Bytes of a run folder's record files: it grows with each record. */
export function runFolderSize(directory: string): number {
  let bytes = 0;
  for (const name of recordFiles(directory)) bytes += statSync(join(directory, name)).size;
  return bytes;
}

function removeEndedInvocations(directory: string): void {
  const own = formatInvocation(thisInvocation());
  for (const name of recordFiles(directory)) {
    const prefix = name.slice(0, name.indexOf("."));
    if (prefix === own) continue;
    const invocation = parseInvocation(prefix);
    // Two test commands in one folder at once: neither may lose the other's records.
    if (invocation !== undefined && isAlive(invocation)) continue;
    try {
      unlinkSync(join(directory, name));
    } catch (error) {
      // Another thread of this invocation removed it first.
      if ((error as { code?: string }).code !== "ENOENT") throw error;
    }
  }
}
