import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "../errors.ts";
import { parseHeaderLine, parseLine } from "./record_line.ts";
import { recordFiles } from "./run_folder.ts";
import { joinModules } from "./run_modules.ts";
import type { Run, RunKernel, RunModule, TestRecord } from "./test_record.ts";

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
    records: withPasses(records),
    damaged: runs.reduce((sum, { damaged }) => sum + damaged, 0),
  };
}

/** The records of several runs, each of which is a pass over the tests, or holds several. */
function withPasses(runs: readonly (readonly TestRecord[])[]): TestRecord[] {
  let first = 0;
  return runs.flatMap((records) => {
    let last = 0;
    const placed = records.map((record) => {
      const { pass = 0 } = record;
      last = Math.max(last, pass);
      return first + pass === 0 ? record : { ...record, pass: first + pass };
    });
    first += last + 1;
    return placed;
  });
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
