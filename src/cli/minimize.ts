import process from "node:process";
import { minimizeTests } from "../coverage/minimize_tests.ts";
import { minimalSetJson } from "../report/answer_json.ts";
import { minimalSetText } from "../report/answer_text.ts";
import { parseCommandLine } from "./command_line.ts";
import {
  openRunOf,
  outputStyle,
  printJson,
  printTests,
  QUESTION_HELP,
  QUESTION_OPTIONS,
} from "./question.ts";
import { UsageError } from "./usage_error.ts";

const HELP = `kernelcov minimize
    A small set of tests that hits every point the whole run hit, in the order of what they add.
    --plain         only the tests, one a line
    --filter RUNNER arguments for deno or bun
${QUESTION_HELP}`;

/** `kernelcov minimize`. Points that come and go between repeats need not be kept. */
export function minimizeCommand(args: string[]): number {
  const { values, operands } = parseCommandLine(args, {
    ...QUESTION_OPTIONS,
    filter: { type: "string" },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (operands.length > 0) {
    throw new UsageError(`Unexpected "${operands[0]}": name the run with --run`);
  }
  const { coverage } = openRunOf(values);
  const set = minimizeTests(coverage);
  if (values.plain || values.filter !== undefined) {
    printTests(coverage, set.kept.map(({ test }) => test), values.filter);
  } else if (values.json) printJson(minimalSetJson(coverage, set));
  else process.stdout.write(minimalSetText(coverage, set, outputStyle()));
  return 0;
}
