import process from "node:process";
import { mergeRuns, readRun } from "../../record/read_run.ts";
import { recordFiles } from "../../record/run_folder.ts";
import { lockRun } from "../../record/run_lock.ts";
import { openRun } from "../../record/run_writer.ts";
import { fileError } from "../../sys/file_error.ts";
import { removeFile } from "../../sys/files.ts";
import { plural } from "../../report/text_style.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";

/** A run that was merged in part is not kept. */
function removeRecords(directory: string): void {
  for (const name of recordFiles(directory)) removeFile(`${directory}/${name}`);
}

/** `kernelcov merge RUN… --out DIR`. */
export const mergeCommand: Command = {
  help: `kernelcov merge RUN… --out DIR
    Puts the records of several runs of one kernel build into one run, in a new folder.
`,
  run,
};

function run(args: string[]): number {
  const { values, operands } = parseCommandLine(args, {
    out: { type: "string" },
  });
  if (operands.length === 0) throw new UsageError("Name the folders of the runs");
  if (values.out === undefined) throw new UsageError("Name the new run's folder with --out");
  const run = mergeRuns(operands.map(readRun));
  using _lock = lockRun(values.out);
  if (recordFiles(values.out).length > 0) {
    throw new UsageError(`${values.out} holds records already: name a new folder`);
  }
  const { damaged, lost = 0, cut = [] } = run;
  try {
    const writer = openRun(values.out, run);
    for (const record of run.records) writer.append(record);
    writer.close({ damaged, lost, cut });
  } catch (error) {
    removeRecords(values.out);
    throw fileError(
      "write the run to",
      values.out,
      error,
      "free space there, or name another --out",
    );
  }
  const missing = [
    ...(damaged === 0 ? [] : [`${plural(damaged, "damaged record")} left out`]),
    ...(lost === 0 ? [] : [`${plural(lost, "record")} had not been written`]),
    ...(cut.length === 0 ? [] : [`${plural(cut.length, "record file")} had no end`]),
  ];
  const text = [plural(run.records.length, "record"), ...missing].join("; ");
  process.stdout.write(`${values.out}: ${text}\n`);
  return 0;
}
