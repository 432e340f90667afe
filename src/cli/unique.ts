import process from "node:process";
import { uniqueCoverage } from "../coverage/unique_coverage.ts";
import { uniqueJson } from "../report/answer_json.ts";
import { uniqueText } from "../report/answer_text.ts";
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

const HELP = `kernelcov unique
    The tests that cover something no other test does, and how much.
    --plain         only the tests, one a line
    --filter RUNNER arguments for deno or bun
${QUESTION_HELP}`;

/** `kernelcov unique`. */
export function uniqueCommand(args: string[]): number {
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
  const unique = uniqueCoverage(coverage);
  if (values.plain || values.filter !== undefined) {
    printTests(coverage, unique.map(({ test }) => test), values.filter);
  } else if (values.json) printJson(uniqueJson(coverage, unique));
  else process.stdout.write(uniqueText(coverage, unique, outputStyle()));
  return 0;
}
