import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { FormatError } from "../errors.ts";
import { runtimeName, runtimeVersion } from "../sys/runtime.ts";
import { formatInvocation, isAlive, parseInvocation, thisInvocation } from "./invocation.ts";
import { headerLine, moduleLine, parseHeaderLine, parseLine, recordLine } from "./record_line.ts";
import type { ModulePlaces } from "./module_places.ts";
import { joinModules } from "./run_modules.ts";
import { runningKernel } from "./running_kernel.ts";
import type { Run, RunKernel, RunModule, TestRecord } from "./test_record.ts";

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
function recordFiles(directory: string): string[] {
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

/**
 * Reads all records of a run folder. Lines that are cut or damaged are counted, not believed.
 *
 * @throws {FormatError} Where the folder holds no record file, or files of different kernels, or none that can be
 * read.
 *
 * @example
 * ```ts
 * import { existsSync } from "node:fs";
 * import { readRun } from "kernelcov";
 * if (existsSync("coverage/kernel/run")) {
 *   for (const { name, pcs } of readRun("coverage/kernel/run").records) console.log(name, pcs.length);
 * }
 * ```
 */
export function readRun(directory: string): Run {
  const files = recordFiles(directory).map((name) => readRecordFile(join(directory, name)));
  const runs = files.filter((file): file is Run => file.kernel !== undefined);
  if (runs.length === 0) {
    const found = files.length === 0 ? "no records" : "no record file that can be read";
    throw new FormatError("run", `${directory} holds ${found}: run the tests first`);
  }
  const damaged = files.reduce((sum, file) => sum + file.damaged, 0);
  return { ...mergeRuns(runs), damaged };
}

/** One file's records, without a kernel where its header is damaged: then none is believed. */
function readRecordFile(path: string): Run | { readonly kernel?: undefined; damaged: number } {
  const lines = readFileSync(path, "utf8").split("\n");
  // The last piece is what follows the last line end: nothing, unless the writer was killed.
  const cut = lines.pop() !== "" ? 1 : 0;
  const [first, ...rest] = lines.filter((line) => line !== "");
  const header = first === undefined ? undefined : parseHeaderLine(first);
  if (header === undefined) return { damaged: rest.length + Math.max(cut, 1) };
  const records: TestRecord[] = [], modules: RunModule[] = [];
  for (const line of rest) {
    try {
      const read = parseLine(line);
      if ("record" in read) records.push(read.record);
      else modules.push(read.module);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  const damaged = cut + rest.length - records.length - modules.length;
  return { kernel: header.kernel, modules, records, damaged };
}

/**
 * The records of several runs of one kernel build as one run.
 *
 * @throws {FormatError} Where they were recorded on different kernels; names both.
 * @throws {RangeError} Where there is no run.
 *
 * @example
 * ```ts
 * import { mergeRuns, type Run } from "kernelcov";
 * const kernel = { buildId: "ab12", release: "6.12.1", machine: "x86_64" };
 * const run: Run = { kernel, modules: [], records: [], damaged: 1 };
 * console.assert(mergeRuns([run, run]).damaged === 2);
 * ```
 */
export function mergeRuns(runs: readonly Run[]): Run {
  const [first] = runs;
  if (first === undefined) throw new RangeError("Cannot merge no runs: name one at least");
  checkOneKernel(runs);
  const { modules, records } = joinModules(runs);
  return {
    kernel: first.kernel,
    modules,
    records: records.flat(),
    damaged: runs.reduce((sum, { damaged }) => sum + damaged, 0),
  };
}

/**
 * Holds that runs are of one kernel build.
 *
 * @throws {FormatError} Where they were recorded on different kernels; names both.
 */
export function checkOneKernel(runs: readonly Pick<Run, "kernel">[]): void {
  const [first] = runs;
  for (const { kernel } of runs) {
    if (
      kernel.buildId !== first.kernel.buildId || kernel.release !== first.kernel.release ||
      kernel.machine !== first.kernel.machine
    ) {
      throw new FormatError(
        "run",
        `records of different kernels cannot be merged: ${kernelName(first.kernel)} and ${
          kernelName(kernel)
        }: report them apart`,
      );
    }
  }
}

function kernelName({ release, machine, buildId }: RunKernel): string {
  return `${release} ${machine} (build id ${buildId === "" ? "unknown" : buildId})`;
}
