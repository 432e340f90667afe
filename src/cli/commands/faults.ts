import { type FaultPaths, faultPaths } from "../../coverage/questions/fault_paths.ts";
import { readFaults } from "../../record/faults/fault_files.ts";
import { DEFAULT_RUN_FOLDER } from "../../record/run_folder.ts";
import { faultJson, faultPlain, faultText } from "../../report/fault_text.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";
import { oneTest, openRunOf, printAnswer, QUESTION_HELP, QUESTION_OPTIONS } from "../question.ts";

/** `kernelcov faults [TEST]`. */
export const faultsCommand: Command = {
  help: `kernelcov faults [TEST]
    What ran only since allocations failed, one after the other (kernelcov test --fail-nth): by test and system call the
    lines that no test runs without, and what the test threw.
    TEST            its full name, its file and name, or a part of the name that no other test has
${QUESTION_HELP}    --plain         only FILE:LINES, one function a line
`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, QUESTION_OPTIONS);
  if (operands.length > 1) throw new UsageError("Name one test");
  const { coverage } = await openRunOf(values);
  let faults = readFaults(values.run ?? DEFAULT_RUN_FOLDER, coverage.kernel?.buildId ?? "");
  if (operands.length === 1) {
    const { tests: [test] } = oneTest(coverage, operands[0]);
    const { name, file } = coverage.tests[test].record;
    const isOf = (one: { name: string; file: string }) => one.name === name && one.file === file;
    faults = { ...faults, runs: faults.runs.filter(isOf), cuts: faults.cuts.filter(isOf) };
  }
  if (faults.runs.length === 0 && faults.cuts.length === 0) {
    throw new UsageError("Nothing has failed in turn here: record with kernelcov test --fail-nth");
  }
  const paths: FaultPaths = faultPaths(coverage, faults.runs);
  return printAnswer(values, {
    json: () => faultJson(coverage, paths, faults),
    plain: () => faultPlain(coverage, paths),
    text: (style) => faultText(coverage, paths, faults, style),
  });
}
