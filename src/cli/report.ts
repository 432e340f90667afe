import { basename, dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { findRunFolder } from "../record/read_run.ts";
import { DEFAULT_RUN_FOLDER } from "../record/run_folder.ts";
import { runLockHolder } from "../record/run_lock.ts";
import { noteReports } from "../record/run_reports.ts";
import { errorReason } from "../sys/file_error.ts";
import { testTable, totalsText, type WrittenFile, writtenText } from "../report/text_table.ts";
import {
  type LoadedRun,
  loadRun,
  type LoadRunOptions,
  writeLcovFiles,
} from "../testing/run_coverage_files.ts";
import { parseCommandLine } from "./command_line.ts";
import type { KernelChoice } from "./kernel_choice.ts";
import { outputStyle } from "./question.ts";
import {
  checkOutputs,
  lcovOptionsOf,
  OUTPUT_HELP,
  OUTPUT_OPTIONS,
  outputTables,
  thresholdStatus,
  writeOutputs,
} from "./report_outputs.ts";
import { UsageError } from "./usage_error.ts";

/** Options of {@linkcode LoadRunOptions} on the command line. */
export const LOAD_OPTIONS = {
  vmlinux: { type: "string" },
  modules: { type: "string", multiple: true },
  "source-prefix": { type: "string" },
} as const;

const HELP = `kernelcov report [RUN] [OPTIONS]
    Prints the table of a run, writes its LCOV files again, and any other report that is asked for.
    RUN             the run's folder, or the one that holds it; ${DEFAULT_RUN_FOLDER} by default
    --out           folder of the files; the one that holds RUN by default
    --vmlinux       the kernel's image with debug information
    --modules       a folder with the kernel's modules; may be repeated
    --source-prefix what source paths start with; "" for paths relative to the kernel's root
${OUTPUT_HELP}`;

/** `kernelcov report`: the table, the LCOV files and other reports of a run. */
export async function reportCommand(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    ...LOAD_OPTIONS,
    ...OUTPUT_OPTIONS,
    out: { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (operands.length > 1 || command.length > 0) {
    throw new UsageError(
      `Unexpected "${[...operands.slice(1), ...command][0]}": name one run's folder`,
    );
  }
  checkOutputs(values);
  const runDirectory = findRunFolder(operands[0] ?? DEFAULT_RUN_FOLDER);
  const loaded = loadRun(runDirectory, loadOptions(values));
  const failed = reportRun(
    loaded,
    values.out ?? dirname(runDirectory),
    runDirectory,
    lcovOptionsOf(values),
  );
  const style = outputStyle();
  const written = await writeOutputs(loaded, values);
  process.stdout.write(writtenText(written.map(fromHere), style));
  const tables = outputTables(loaded, values, style);
  if (tables !== "") process.stdout.write(`\n${tables}`);
  const threshold = thresholdStatus(loaded, values);
  return failed === 0 ? threshold : failed;
}

/** The options of the library for those of the command line, and for the kernel that the run was on if it is known. */
export function loadOptions(
  values: { vmlinux?: string; modules?: string[]; "source-prefix"?: string },
  kernel: KernelChoice = "host",
): LoadRunOptions {
  const { vmlinux = kernel === "host" ? undefined : kernel.vmlinux, modules } = values;
  return { vmlinux, modules, sourcePrefix: values["source-prefix"] };
}

/**
 * Prints the table and the totals of a run, then writes its LCOV files to `directory` and prints what they are.
 *
 * @param runDirectory folder of the records
 * @returns the exit status: not 0 where files could not be written, which costs the table nothing
 */
export function reportRun(
  loaded: LoadedRun,
  directory: string,
  runDirectory: string,
  lcov: Parameters<typeof writeLcovFiles>[2] = {},
): number {
  const style = outputStyle();
  const { coverage } = loaded;
  process.stdout.write(`${testTable(coverage, style)}\n${totalsText(coverage, style)}\n`);
  const isBeside = resolve(directory) === dirname(resolve(runDirectory));
  const holder = runLockHolder(runDirectory);
  if (isBeside && holder !== undefined && holder !== process.pid) {
    process.stderr.write(
      `kernelcov: Process ${holder} still records this run: its reports are written when it ends, or name another folder with --out\n`,
    );
    return 0;
  }
  try {
    const files = writeLcovFiles(loaded, directory, lcov);
    if (isBeside) noteReports(runDirectory, files.map(({ path }) => basename(path)));
    process.stdout.write(writtenText(files.map(fromHere), style));
    return 0;
  } catch (error) {
    process.stderr.write(
      `kernelcov: Cannot write the reports to ${directory}: ${
        errorReason(error)
      }: free space there, or name another folder with --out\n`,
    );
    return 1;
  }
}

function fromHere({ path, what }: WrittenFile): WrittenFile {
  const short = relative(process.cwd(), path);
  return { path: short.startsWith("..") ? path : join(".", short), what };
}
