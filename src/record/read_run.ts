import { join } from "node:path";
import { FormatError } from "../errors.ts";
import { type OpenFile, openRegularFile, readAll } from "../sys/open_file.ts";
import { parseHeaderLine, parseLine } from "./record_line.ts";
import { recordFiles } from "./run_folder.ts";
import { joinModules } from "./run_modules.ts";
import type { Run, RunKernel, RunModule, TestRecord } from "./test_record.ts";
import { UnfinishedTests } from "./unfinished_tests.ts";

/**
 * Reads all records of a run folder; a test that began and left no record has an `unfinished` one. Lines that are cut or damaged are counted, not believed.
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

/** A string has room for no more. */
const MOST_BYTES = 2 ** 29 - 24;

/** One file's records, without a kernel where its header is damaged: then none is believed. */
function readRecordFile(path: string): Run | { readonly kernel?: undefined; damaged: number } {
  const text = recordText(path);
  if (text === undefined) return { damaged: 1 };
  const lines = text.split("\n");
  // The last piece is what follows the last line end: nothing, unless the writer was killed.
  const cut = lines.pop() !== "" ? 1 : 0;
  const [first, ...rest] = lines.filter((line) => line !== "");
  const header = first === undefined ? undefined : parseHeaderLine(first);
  if (header === undefined) return { damaged: rest.length + Math.max(cut, 1) };
  const records: TestRecord[] = [], modules: RunModule[] = [];
  const unfinished = new UnfinishedTests();
  let begun = 0;
  for (const line of rest) {
    try {
      const read = parseLine(line);
      if ("module" in read) modules.push(read.module);
      else if ("begun" in read) {
        begun++;
        unfinished.begin(read.begun);
      } else {
        records.push(read.record);
        unfinished.end(read.record);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  const damaged = cut + rest.length - records.length - modules.length - begun;
  records.push(...unfinished.records());
  return { kernel: header.kernel, modules, records, damaged };
}

/** Text of a record file; `undefined` where a test has put something else in its place. */
function recordText(path: string): string | undefined {
  let file: OpenFile;
  try {
    file = openRegularFile(path);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  try {
    return file.size > MOST_BYTES ? undefined : new TextDecoder().decode(readAll(file));
  } finally {
    file.close();
  }
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
