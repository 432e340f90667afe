import { dirname } from "node:path";
import { findRunFolder } from "../../record/read_run.ts";
import { DEFAULT_RUN_FOLDER } from "../../record/run_folder.ts";
import { loadRun } from "../../run/load_run.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";
import { ORIGIN_HELP } from "../origin_options.ts";
import { DRIVER_HELP, DRIVER_OPTIONS, namesStore, openStore } from "../stores/open_store.ts";
import { OUTPUT_HELP, OUTPUT_OPTIONS } from "../report_outputs.ts";
import { checkReportOptions, LOAD_OPTIONS, loadOptions, reportRun } from "../report_run.ts";

/** `kernelcov report`: the table, the LCOV files and other reports of a run. */
export const reportCommand: Command = {
  help: `kernelcov report [RUN] [OPTIONS]
    Prints the table of a run, and writes its LCOV files again, with any other reports that the options name.
    RUN             the run's folder, or its parent, or a store; ${DEFAULT_RUN_FOLDER} by default
    --out DIR       folder of the files; the parent of RUN by default, none by default of a store
    --vmlinux FILE  the kernel's image with debug information
    --modules DIR   a folder with the kernel's modules; may be repeated
    --source-prefix DIR what source paths start with; "" for paths relative to the kernel's root
    --steady        leave out points that only some repeats of a test hit
${ORIGIN_HELP}${DRIVER_HELP}${OUTPUT_HELP}`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands, command } = parseCommandLine(args, {
    ...LOAD_OPTIONS,
    ...OUTPUT_OPTIONS,
    ...DRIVER_OPTIONS,
    out: { type: "string" },
  });
  if (operands.length > 1 || command.length > 0) {
    throw new UsageError(
      `Unexpected "${[...operands.slice(1), ...command][0]}": name one run's folder`,
    );
  }
  const load = loadOptions(values);
  if (operands[0] !== undefined && namesStore(operands[0])) {
    checkReportOptions(values, values.out);
    const loaded = await openStore(operands[0], values.driver, load);
    return await reportRun(loaded, values.out, undefined, values);
  }
  if (values.driver !== undefined) throw new UsageError("--driver is for stores: name one");
  const runDirectory = findRunFolder(operands[0] ?? DEFAULT_RUN_FOLDER);
  const directory = values.out ?? dirname(runDirectory);
  checkReportOptions(values, directory);
  return await reportRun(
    loadRun(runDirectory, load),
    directory,
    runDirectory,
    values,
  );
}
