import {
  type AppendedFile,
  createFile,
  fileSize,
  isLink,
  listFolder,
  makeFolder,
  pathExists,
  removeFile,
} from "../sys/files.ts";
import { runtimeName, runtimeVersion } from "../sys/runtime.ts";
import { formatInvocation, isAlive, parseInvocation, thisInvocation } from "./invocation.ts";
import { begunLine, headerLine, moduleLine, recordLine } from "./record_line.ts";
import type { ModulePlaces } from "./module_places.ts";
import { runningKernel } from "./running_kernel.ts";
import type { BegunTest, RunKernel, RunModule, TestRecord } from "./test_record.ts";

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
  /**
   * Opens what brings a file's written bytes out of this kernel's memory, where that may crash before it writes them
   * back by itself; called with the path of each record file. By default nothing does.
   */
  readonly writeThrough?: ((path: string) => WriteThrough | undefined) | undefined;
}

/** Brings what was written to one file out of the kernel's memory. */
export interface WriteThrough {
  write(): void;
  close(): void;
}

/** Appends records to a run folder, in a file of its own. */
export class RunWriter implements Disposable {
  /** The folder. */
  readonly directory: string;
  readonly #kernel: RunKernel | undefined;
  readonly #places: ModulePlaces | undefined;
  readonly #modules: readonly RunModule[];
  readonly #openWriteThrough: OpenRunOptions["writeThrough"];
  #file: AppendedFile | undefined;
  #through: WriteThrough | undefined;
  readonly #encoder = new TextEncoder();
  #tornLine = false;
  /** How many of the modules are in the file. */
  #modulesWritten = 0;

  constructor(directory: string, { kernel, modules = [], writeThrough }: OpenRunOptions) {
    this.directory = directory;
    this.#kernel = kernel;
    this.#openWriteThrough = writeThrough;
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
    this.#file ??= this.#create();
    this.#writeModules(this.#file);
    this.#write(this.#file, recordLine(placed));
    this.#through?.write();
  }

  /**
   * Says that a test begins: where no record of it follows, it was cut short.
   *
   * @throws {Error} The file system's own error, such as `ENOSPC`.
   */
  begin(test: BegunTest): void {
    this.#file ??= this.#create();
    this.#write(this.#file, begunLine(test));
    this.#through?.write();
  }

  /** Closes the file. A later `append` begins another. */
  close(): void {
    if (this.#file === undefined) return;
    this.#places?.observe();
    this.#writeModules(this.#file);
    this.#file.close();
    this.#through?.close();
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
    const path = `${this.directory}/${name}`;
    const file = createFile(path);
    this.#through = this.#openWriteThrough?.(path);
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
 * @throws {TypeError} It is a symbolic link.
 * @throws {Error} The file system's own error.
 */
export function openRun(directory: string, options: OpenRunOptions = {}): RunWriter {
  makeRunFolder(directory);
  if (options.replace) removeEndedInvocations(directory);
  return new RunWriter(directory, options);
}

/**
 * Makes a run folder without records: those of an earlier run are removed, and nothing else that may lie there.
 *
 * @throws {TypeError} It is a symbolic link.
 * @throws {Error} The file system's own error.
 */
export function clearRun(directory: string): void {
  makeRunFolder(directory);
  for (const name of recordFiles(directory)) removeFile(`${directory}/${name}`);
}

/** Tests in a guest may write to the folder around it: a link there would lead records, and the next guest, elsewhere. */
function makeRunFolder(directory: string): void {
  if (isLink(directory)) {
    throw new TypeError(
      `${directory} is a symbolic link: remove it, or name the folder it leads to`,
    );
  }
  makeFolder(directory);
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
  for (const name of recordFiles(directory)) {
    // A link that leads nowhere holds no records.
    if (pathExists(`${directory}/${name}`)) bytes += fileSize(`${directory}/${name}`);
  }
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
