import { dirname, join, relative } from "node:path";
import process from "node:process";
import { DEFAULT_RUN_FOLDER } from "../record/run_folder.ts";
import { textStyle } from "../report/text_style.ts";
import { testTable, totalsText, writtenText } from "../report/text_table.ts";
import {
  type LoadedRun,
  loadRun,
  type LoadRunOptions,
  writeLcovFiles,
} from "../testing/run_coverage_files.ts";
import { parseCommandLine } from "./command_line.ts";
import { UsageError } from "./usage_error.ts";

/** Options of {@linkcode LoadRunOptions} on the command line. */
export const LOAD_OPTIONS = {
  vmlinux: { type: "string" },
  "source-prefix": { type: "string" },
} as const;

const HELP = `kernelcov report [RUN] [--out DIR] [--vmlinux FILE] [--source-prefix DIR]
    Prints the table of a run and writes its LCOV files again.
    RUN             the run's folder; ${DEFAULT_RUN_FOLDER} by default
    --out           folder of the files; the one that holds RUN by default
    --vmlinux       the kernel's image with debug information
    --source-prefix what source paths start with; "" for paths relative to the kernel's root
`;

/** `kernelcov report`: the table and the LCOV files of a run. */
export function reportCommand(args: string[]): number {
  const { values, operands, command } = parseCommandLine(args, {
    ...LOAD_OPTIONS,
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
  reportRun(loadRun(runDirectory, loadOptions(values)), values.out ?? dirname(runDirectory));
  return 0;
}

/** The options of the library for those of the command line. */
export function loadOptions(
  values: { vmlinux?: string; "source-prefix"?: string },
): LoadRunOptions {
  return { vmlinux: values.vmlinux, sourcePrefix: values["source-prefix"] };
}

/** Prints the table, the totals and the files, which it writes to `directory`. */
export function reportRun(loaded: LoadedRun, directory: string): void {
  const style = textStyle({
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    env: process.env,
  });
  const files = writeLcovFiles(loaded, directory).map(({ path, what }) => {
    const fromHere = relative(process.cwd(), path);
    return { path: fromHere.startsWith("..") ? path : join(".", fromHere), what };
  });
  process.stdout.write(
    [
      testTable(loaded.coverage, style),
      totalsText(loaded.coverage, style),
      writtenText(files, style),
    ].join("\n"),
  );
}
