import process from "node:process";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import type { TextStyle } from "../report/text_style.ts";
import { parseCommandLine } from "./command_line.ts";
import { openRunOf, outputStyle, printJson, printTests, QUESTION_OPTIONS } from "./question.ts";
import { UsageError } from "./usage_error.ts";

/** A question about a whole run, whose answer is some of its tests. */
export interface RunQuestion<Answer> {
  readonly help: string;
  answer(coverage: RunCoverage): Answer;
  tests(answer: Answer): readonly number[];
  json(coverage: RunCoverage, answer: Answer): unknown;
  text(coverage: RunCoverage, answer: Answer, style: TextStyle): string;
}

/** Asks a run the question, prints the answer as the arguments want it, and returns the exit status. */
export function askRun<Answer>(args: string[], question: RunQuestion<Answer>): number {
  const { values, operands } = parseCommandLine(args, {
    ...QUESTION_OPTIONS,
    filter: { type: "string" },
  });
  if (values.help) {
    process.stdout.write(question.help);
    return 0;
  }
  if (operands.length > 0) {
    throw new UsageError(`Unexpected "${operands[0]}": name the run with --run`);
  }
  const { coverage } = openRunOf(values);
  const answer = question.answer(coverage);
  if (values.plain || values.filter !== undefined) {
    printTests(coverage, question.tests(answer), values.filter);
  } else if (values.json) printJson(question.json(coverage, answer));
  else process.stdout.write(question.text(coverage, answer, outputStyle()));
  return 0;
}
