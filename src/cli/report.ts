import { dirname, join, relative } from "node:path";
import process from "node:process";
import { DEFAULT_RUN_FOLDER } from "../record/run_folder.ts";
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
    RUN             the run's folder; ${DEFAULT_RUN_FOLDER} by default
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
  const runDirectory = operands[0] ?? DEFAULT_RUN_FOLDER;
  checkOutputs(values);
  const loaded = loadRun(runDirectory, loadOptions(values));
  reportRun(loaded, values.out ?? dirname(runDirectory), lcovOptionsOf(values));
  const style = outputStyle();
  const written = await writeOutputs(loaded, values);
  process.stdout.write(writtenText(written.map(fromHere), style));
  const tables = outputTables(loaded, values, style);
  if (tables !== "") process.stdout.write(`\n${tables}`);
  return thresholdStatus(loaded, values);
}

/** The options of the library for those of the command line, and for the kernel that the run was on if it is known. */
export function loadOptions(
  values: { vmlinux?: string; modules?: string[]; "source-prefix"?: string },
  kernel: KernelChoice = "host",
): LoadRunOptions {
  const { vmlinux = kernel === "host" ? undefined : kernel.vmlinux, modules } = values;
  return { vmlinux, modules, sourcePrefix: values["source-prefix"] };
}

/** Prints the table, the totals and the files, which it writes to `directory`. */
export function reportRun(
  loaded: LoadedRun,
  directory: string,
  lcov: Parameters<typeof writeLcovFiles>[2] = {},
): void {
  const style = outputStyle();
  const files = writeLcovFiles(loaded, directory, lcov).map(fromHere);
  process.stdout.write(
    [
      testTable(loaded.coverage, style),
      totalsText(loaded.coverage, style),
      writtenText(files, style),
    ].join("\n"),
  );
}

function fromHere({ path, what }: WrittenFile): WrittenFile {
  const short = relative(process.cwd(), path);
  return { path: short.startsWith("..") ? path : join(".", short), what };
}
