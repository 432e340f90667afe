import { basename, dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { faultPaths } from "../coverage/questions/fault_paths.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { readFaults } from "../record/faults/fault_files.ts";
import { faultSummary } from "../report/fault_text.ts";
import { runLockHolder } from "../record/run_lock.ts";
import { noteReports } from "../record/run_reports.ts";
import { MAX_TESTS_PER_FILE } from "../report/lcov.ts";
import { testTable, totalsText, type WrittenFile, writtenText } from "../report/text_table.ts";
import { plural } from "../report/text_style.ts";
import { foreignReports } from "../run/own_reports.ts";
import type { LoadedRun, LoadRunOptions } from "../run/load_run.ts";
import { writeLcovFiles } from "../run/write_report.ts";
import { errorReason } from "../sys/file_error.ts";
import { removeLeftParts } from "../sys/written_files.ts";
import { type OptionValues, UsageError, warn } from "./command_line.ts";
import { ORIGIN_OPTIONS, originSelectionOf } from "./origin_options.ts";
import { outputStyle } from "./question.ts";
import {
  checkOutputs,
  lcovOptionsOf,
  outputTables,
  type OutputValues,
  thresholdStatus,
  usesStandardOutput,
  writeOutputs,
} from "./report_outputs.ts";
import { SignalHold } from "./signal_hold.ts";

/** Options of {@linkcode LoadRunOptions} on the command line. */
export const LOAD_OPTIONS = {
  vmlinux: { type: "string" },
  modules: { type: "string", multiple: true },
  "source-prefix": { type: "string" },
  steady: { type: "boolean" },
  ...ORIGIN_OPTIONS,
} as const;

/** Values of {@linkcode LOAD_OPTIONS}. */
export type LoadValues = OptionValues<typeof LOAD_OPTIONS>;

/**
 * Checks, before any work is done, that the options of a report make sense and that its files would replace no other
 * program's.
 *
 * @throws {UsageError} Where not.
 */
export function checkReportOptions(
  values: OutputValues,
  directory: string | undefined,
  standardOutput: "free" | "of the command" = "free",
): void {
  checkOutputs(values);
  if (standardOutput !== "free" && usesStandardOutput(values)) {
    throw new UsageError("Standard output is the command's: name a file for the report");
  }
  if (directory === undefined) return;
  const [foreign] = foreignReports(directory);
  if (foreign === undefined) return;
  throw new UsageError(
    `${join(directory, foreign)} belongs to another program: name another folder with --out`,
  );
}

/**
 * The options of the library for those of the command line.
 *
 * @param image the image of the kernel that the run was on, if it is known
 */
export function loadOptions(
  values: LoadValues,
  image?: string,
): LoadRunOptions {
  const { vmlinux = image, modules } = values;
  return {
    vmlinux,
    modules,
    sourcePrefix: values["source-prefix"],
    steady: values.steady,
    selection: originSelectionOf(values),
  };
}

/**
 * Prints the table and the totals, writes the LCOV files to `directory`, and whatever else `values` ask for.
 *
 * @param directory none: no LCOV files
 * @param runDirectory folder of the records; none: they are of a store
 * @returns The exit status: that of `--min-lines`; 1 where files could not be written, which costs the table nothing.
 */
export async function reportRun(
  loaded: LoadedRun,
  directory: string | undefined,
  runDirectory: string | undefined,
  values: OutputValues = {},
): Promise<number> {
  const style = outputStyle();
  const { coverage } = loaded;
  const isQuiet = usesStandardOutput(values);
  // Before the files, so that it is there whatever becomes of them.
  if (!isQuiet) {
    process.stdout.write(
      `${testTable(coverage, style)}\n${totalsText(coverage, style)}${
        faultsOf(coverage, runDirectory)
      }\n`,
    );
  }
  using hold = new SignalHold();
  const files = directory === undefined
    ? []
    : writeRunFiles(loaded, directory, runDirectory, values);
  await hold.pass();
  const written = [...files ?? [], ...await writeOutputs(loaded, values, hold)];
  if (!isQuiet) {
    const tables = outputTables(loaded, values, style);
    const tests = coverage.tests.length;
    process.stdout.write(
      writtenText(written.map(fromHere), style) +
        (tests > MAX_TESTS_PER_FILE && values["lcov-tests"] === undefined
          ? `${
            plural(tests, "test")
          }: too many for tests.info; kernelcov report --lcov-tests FILE writes each\n`
          : "") +
        (tables === "" ? "" : `\n${tables}`),
    );
  }
  const threshold = thresholdStatus(loaded, values);
  return files === undefined ? 1 : threshold;
}

/** What ran only since allocations failed in turn, where they did. */
function faultsOf(coverage: RunCoverage, runDirectory: string | undefined): string {
  if (runDirectory === undefined) return "";
  const faults = readFaults(runDirectory, coverage.kernel?.buildId ?? "");
  const { runs, cuts, damaged } = faults;
  if (runs.length === 0 && cuts.length === 0 && damaged === 0) return "";
  return `\n${faultSummary(coverage, faultPaths(coverage, runs), faults)}`;
}

/**
 * Writes the files that every report has, and notes them as those of the run where they lie around it. None while a
 * command still records; `undefined`, and a line that says why, where they cannot be written.
 */
function writeRunFiles(
  loaded: LoadedRun,
  directory: string,
  runDirectory: string | undefined,
  values: OutputValues,
): WrittenFile[] | undefined {
  const isBeside = runDirectory !== undefined &&
    resolve(directory) === dirname(resolve(runDirectory));
  const holder = isBeside ? runLockHolder(runDirectory) : undefined;
  if (isBeside && holder !== undefined && holder !== process.pid) {
    warn(
      `Process ${holder} still records this run: its reports are written when it ends, or name another folder with --out`,
    );
    return [];
  }
  try {
    removeLeftParts(directory);
    const files = writeLcovFiles(loaded, directory, lcovOptionsOf(values));
    if (isBeside) noteReports(runDirectory, files.map(({ path }) => basename(path)));
    return files;
  } catch (error) {
    warn(
      `Cannot write the reports to ${directory}: ${
        errorReason(error)
      }: free space there, or name another folder with --out`,
    );
    return undefined;
  }
}

function fromHere({ path, what }: WrittenFile): WrittenFile {
  const short = relative(process.cwd(), path);
  return { path: short.startsWith("..") ? path : join(".", short), what };
}
