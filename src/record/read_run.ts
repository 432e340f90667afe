import { FormatError } from "../errors.ts";
import { errorCode, fileError } from "../sys/file_error.ts";
import { readRecordFile, type RecordFile } from "./record_file.ts";
import { recordFiles } from "./run_folder.ts";
import { joinModules } from "./run_modules.ts";
import { notedSource } from "./run_source.ts";
import type { Run, RunKernel, TestRecord } from "./test_record.ts";

/**
 * Reads the records of a run's folder, or of an output folder with its `run`. Of each test those of the newest run
 * count; what earlier runs recorded of tests that it did not run is marked as `earlier`. A test that began and left no
 * record has an `unfinished` one, which replaces what an earlier run recorded of it. Lines that are cut or damaged are
 * counted, not believed.
 *
 * @param directory Path of the folder.
 * @returns The run, with its records in the order in which they were written.
 *
 * @see docs/file-formats.md
 *
 * @throws {FormatError} Where the folder holds no record file, or those of one run are of different kernels, or there
 * is none that can be read.
 * @throws {TypeError} Where there is no such folder, or it cannot be read.
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
  const folder = findRunFolder(directory);
  return currentRun(folder, readRecordFiles(folder));
}

/**
 * The folder with the records: the one that is named, or its `run`.
 *
 * @throws {TypeError} Where there is no such folder, or it cannot be read.
 */
export function findRunFolder(directory: string): string {
  const within = `${directory.replace(/\/+$/, "")}/run`;
  try {
    if (recordFiles(directory).length > 0) return directory;
  } catch (error) {
    throw cannotRead(directory, error);
  }
  try {
    return recordFiles(within).length > 0 ? within : directory;
  } catch {
    return directory;
  }
}

/**
 * Reads all record files of a run's folder, in the order in which they were begun: each thread that runs tests may have its
 * own.
 *
 * @throws {TypeError} Where it cannot be read.
 */
export function readRecordFiles(
  directory: string,
  isWanted: (name: string) => boolean = () => true,
): RecordFile[] {
  try {
    const files = recordFiles(directory).filter(isWanted)
      .map((name) => readRecordFile(directory, name));
    return files.sort((a, b) => begunAt(a) - begunAt(b));
  } catch (error) {
    throw cannotRead(directory, error);
  }
}

function cannotRead(directory: string, error: unknown): unknown {
  switch (errorCode(error)) {
    case undefined:
      return error;
    case "ENOENT":
    case "ENOTDIR":
      return new TypeError(
        `There is no folder ${directory}: run the tests first, or name the folder of a run`,
        { cause: error },
      );
    default:
      return fileError("read the run", directory, error, "name a folder that you may read");
  }
}

function begunAt({ header }: RecordFile): number {
  return header?.startedAt ?? 0;
}

/**
 * What the files of a folder say of each test last: all records of the newest run, and those of earlier ones of tests
 * that it did not run.
 *
 * @throws {FormatError} As {@linkcode readRun}.
 */
export function currentRun(directory: string, files: readonly RecordFile[]): Run {
  const { runs, kernel } = runsByAge(files);
  if (kernel === undefined) {
    const refused = files.find((file) => file.refused !== undefined)?.refused;
    if (refused !== undefined) throw refused;
    const found = files.length === 0 ? "no records" : "no record file that can be read";
    throw new FormatError("run", `${directory} holds ${found}: run the tests first`);
  }
  const superseded = supersededRecords(runs);
  const newest = runs.at(-1)!;
  checkOneKernel(newest.map(({ header }) => ({ kernel: header.kernel })));
  const parts: Run[] = [];
  let otherKernel = 0;
  let damaged = 0;
  for (const file of files) if (file.header === undefined) damaged += file.damaged;
  for (const run of runs) {
    for (const file of run) {
      const current = file.records.filter((record) => !superseded.has(record));
      if (!isSameKernel(file.header.kernel, kernel)) {
        otherKernel += current.length;
        continue;
      }
      // An older file without current records cannot lack any.
      if (run !== newest && current.length === 0) continue;
      const records = run === newest
        ? current
        : current.map((record): TestRecord => ({ ...record, earlier: true }));
      parts.push(partOf(file, records));
    }
  }
  const merged = mergeRuns(parts);
  const source = notedSource(directory, kernel.buildId);
  return {
    ...merged,
    ...source === undefined ? {} : { kernel: { ...merged.kernel, source } },
    records: byFile(merged.records),
    damaged: damaged + merged.damaged,
    ...some({ otherKernel }),
  };
}

/** Puts tests of one file together where some are of earlier runs: reports list tests by file. */
function byFile(records: readonly TestRecord[]): readonly TestRecord[] {
  if (!records.some(({ earlier }) => earlier === true)) return records;
  const place = new Map<string, number>();
  const placeOf = ({ runner, file }: TestRecord): number => {
    const key = `${runner}\n${file}`;
    const known = place.get(key);
    if (known === undefined) place.set(key, place.size);
    return known ?? place.size - 1;
  };
  // Asked in order once: the sort asks in another.
  records.forEach(placeOf);
  return records.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** A file whose header was read. */
export type ReadFile = RecordFile & { readonly header: NonNullable<RecordFile["header"]> };

/** Files by the run that they are of, the oldest run first, and the kernel of the newest. */
export function runsByAge(
  files: readonly RecordFile[],
): { readonly runs: readonly (readonly ReadFile[])[]; readonly kernel: RunKernel | undefined } {
  const byRun = new Map<string, ReadFile[]>();
  for (const file of files) {
    if (file.header === undefined) continue;
    const { run } = file.header;
    if (byRun.get(run)?.push(file as ReadFile) === undefined) byRun.set(run, [file as ReadFile]);
  }
  const begun = (run: readonly ReadFile[]): number =>
    Math.min(...run.map(({ header }) => header.startedAt));
  const runs = [...byRun.values()].sort((a, b) => begun(a) - begun(b));
  return { runs, kernel: runs.at(-1)?.at(-1)?.header.kernel };
}

/** The records of tests that a newer run on the same kernel ran again. */
export function supersededRecords(
  runs: readonly (readonly ReadFile[])[],
): ReadonlySet<TestRecord> {
  const superseded = new Set<TestRecord>();
  const newer = new Set<string>();
  for (const run of runs.toReversed()) {
    const own = new Set<string>();
    for (const { header, records } of run) {
      for (const record of records) {
        const identity = `${kernelName(header.kernel)}\n${identityOf(record)}`;
        if (newer.has(identity)) superseded.add(record);
        else own.add(identity);
      }
    }
    for (const identity of own) newer.add(identity);
  }
  return superseded;
}

/** What a test compared does not take the place of what it ran. */
function identityOf({ kind = "test", runner = "", file, name, comparisons }: TestRecord): string {
  return `${kind}\n${runner}\n${file}\n${name}${comparisons === undefined ? "" : "\ncompared"}`;
}

function partOf({ header, modules, damaged, end, name }: ReadFile, records: TestRecord[]): Run {
  const last = records.at(-1)?.name ?? name;
  return {
    kernel: header.kernel,
    image: header.image,
    modules,
    records,
    damaged: damaged + (end?.damaged ?? 0),
    lost: end?.lost ?? 0,
    cut: end?.cut ?? [last],
  };
}

/**
 * The records of several runs of one kernel build as one run.
 *
 * @param runs One at least, in the order in which they were recorded.
 * @returns Their records one after another, and the sums of what was lost.
 *
 * @see `.note.gnu.build-id` of elf(5), by which kernels are told apart
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
  const image = runs.findLast((run) => run.image !== undefined)?.image;
  const cut = runs.flatMap((run) => run.cut ?? []);
  return {
    kernel: first.kernel,
    modules,
    records: withPasses(records),
    damaged: sum(runs, "damaged"),
    ...some({ lost: sum(runs, "lost"), otherKernel: sum(runs, "otherKernel") }),
    ...(cut.length === 0 ? {} : { cut }),
    ...(image === undefined ? {} : { image }),
  };
}

function sum(runs: readonly Run[], count: "damaged" | "lost" | "otherKernel"): number {
  return runs.reduce((total, run) => total + (run[count] ?? 0), 0);
}

/** The counts that are not 0. */
function some<Name extends string>(
  counts: Record<Name, number>,
): { readonly [N in Name]?: number } {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as {
    [N in Name]?: number;
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
 * Checks that runs are of one kernel build.
 *
 * @throws {FormatError} Where they were recorded on different kernels; names both.
 */
function checkOneKernel(runs: readonly Pick<Run, "kernel">[]): void {
  const [first] = runs;
  for (const { kernel } of runs) {
    if (!isSameKernel(kernel, first.kernel)) {
      throw new FormatError(
        "run",
        `records of different kernels cannot be merged: ${kernelName(first.kernel)} and ${
          kernelName(kernel)
        }: report them apart`,
      );
    }
  }
}

/** Whether two runs are of one kernel build. */
export function isSameKernel(a: RunKernel, b: RunKernel): boolean {
  return a.buildId === b.buildId && a.release === b.release && a.machine === b.machine;
}

/** A kernel, for people. */
function kernelName({ release, machine, buildId }: RunKernel): string {
  return `${release} ${machine} (build id ${buildId === "" ? "unknown" : buildId})`;
}
