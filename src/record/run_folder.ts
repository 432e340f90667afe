import {
  type AppendedFile,
  createFile,
  fileSize,
  listFolder,
  makeFolder,
  removeFile,
} from "../sys/files.ts";
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
  /** Makes the writer's file; as the runtime makes files by default. */
  readonly create?: (path: string) => AppendedFile;
}

/** Appends records to a run folder, in a file of its own. */
export class RunWriter implements Disposable {
  /** The folder. */
  readonly directory: string;
  readonly #createFile: (path: string) => AppendedFile;
  readonly #kernel: RunKernel | undefined;
  readonly #places: ModulePlaces | undefined;
  readonly #modules: readonly RunModule[];
  #file: AppendedFile | undefined;
  readonly #encoder = new TextEncoder();
  #tornLine = false;
  /** How many of the modules are in the file. */
  #modulesWritten = 0;

  constructor(directory: string, { kernel, modules = [], create = createFile }: OpenRunOptions) {
    this.directory = directory;
    this.#createFile = create;
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
    // A test that closes all descriptors closes this one too. Nothing may go to the file that has its number then.
    if (this.#file?.isOpen?.() === false) this.#file = undefined;
    this.#file ??= this.#create();
    this.#writeModules(this.#file);
    this.#write(this.#file, recordLine(placed));
  }

  /** Closes the file. A later `append` begins another. */
  close(): void {
    if (this.#file === undefined || this.#file.isOpen?.() === false) return;
    this.#places?.observe();
    this.#writeModules(this.#file);
    this.#file.close();
    this.#file = undefined;
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #create(): AppendedFile {
    // Not of node:crypto, which takes longer to load than the rest of this library.
    const random = crypto.getRandomValues(new Uint8Array(6)).toHex();
    const name = `${formatInvocation(thisInvocation())}.${random}${SUFFIX}`;
    const file = this.#createFile(`${this.directory}/${name}`);
    const kernel = this.#kernel ?? runningKernel();
    this.#write(file, headerLine({ kernel, writer: `${runtimeName()} ${runtimeVersion()}` }));
    this.#modulesWritten = 0;
    return file;
  }

  #writeModules(file: AppendedFile): void {
    if (this.#modulesWritten === (this.#places?.size ?? this.#modules.length)) return;
    const modules = this.#places?.modules ?? this.#modules;
    for (const module of modules.slice(this.#modulesWritten)) this.#write(file, moduleLine(module));
    this.#modulesWritten = modules.length;
  }

  #write(file: AppendedFile, line: string): void {
    // What a full disk cut off must not swallow the record after it.
    const bytes = this.#encoder.encode(this.#tornLine ? `\n${line}` : line);
    this.#tornLine = true;
    let written = 0;
    while (written < bytes.length) written += file.write(bytes.subarray(written));
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
  makeFolder(directory);
  if (options.replace) removeEndedInvocations(directory);
  return new RunWriter(directory, options);
}

/**
 * Makes a run folder without records: those of an earlier run are removed, and nothing else that may lie there.
 *
 * @throws {Error} The file system's own error.
 */
export function clearRun(directory: string): void {
  makeFolder(directory);
  for (const name of recordFiles(directory)) removeFile(`${directory}/${name}`);
}

/** Appends one record; the same as the writer's own method. */
export function appendRecord(writer: RunWriter, record: TestRecord): void {
  writer.append(record);
}

/** Names of a run folder's record files, in order. */
export function recordFiles(directory: string): string[] {
  return listFolder(directory).filter((name) => name.endsWith(SUFFIX)).sort();
}

/** Bytes of a run folder's record files: it grows with each record. */
export function runFolderSize(directory: string): number {
  let bytes = 0;
  for (const name of recordFiles(directory)) bytes += fileSize(`${directory}/${name}`);
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
      removeFile(`${directory}/${name}`);
    } catch (error) {
      // Another thread of this invocation removed it first.
      if ((error as { code?: string }).code !== "ENOENT") throw error;
    }
  }
}
