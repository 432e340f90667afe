import { existsSync } from "node:fs";
import process from "node:process";
import { mergeRuns, readRun } from "../record/read_run.ts";
import { appendRecord, openRun, runFolderSize } from "../record/run_folder.ts";
import { plural } from "../report/text_style.ts";
import { parseCommandLine } from "./command_line.ts";
import { UsageError } from "./usage_error.ts";

const HELP = `kernelcov merge RUN… --out DIR
    Puts the records of several runs of one kernel build into one run, in a new folder.
`;

/** `kernelcov merge RUN… --out DIR`. */
export function mergeCommand(args: string[]): number {
  const { values, operands } = parseCommandLine(args, {
    out: { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (operands.length === 0) throw new UsageError("Name the folders of the runs");
  if (values.out === undefined) throw new UsageError("Name the new run's folder with --out");
  if (existsSync(values.out) && runFolderSize(values.out) > 0) {
    throw new UsageError(`${values.out} holds records already: name a new folder`);
  }
  const run = mergeRuns(operands.map(readRun));
  using writer = openRun(values.out, run);
  for (const record of run.records) appendRecord(writer, record);
  const lost = run.damaged === 0 ? "" : `; ${plural(run.damaged, "damaged record")} left out`;
  process.stdout.write(`${values.out}: ${plural(run.records.length, "record")}${lost}\n`);
  return 0;
}
