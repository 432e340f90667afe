import { uniqueCoverage } from "../../coverage/questions/unique_coverage.ts";
import { uniqueJson } from "../../report/answer_json.ts";
import { uniqueText } from "../../report/answer_text.ts";
import { QUESTION_HELP } from "../question.ts";
import { askRun } from "../run_question.ts";

const HELP = `kernelcov unique
    The tests that cover something no other test does, and how much.
    --plain         only the tests, one a line
    --filter RUNNER arguments for deno or bun
${QUESTION_HELP}`;

/** `kernelcov unique`. */
export function uniqueCommand(args: string[]): number {
  return askRun(args, {
    help: HELP,
    answer: uniqueCoverage,
    tests: (unique) => unique.map(({ test }) => test),
    json: uniqueJson,
    text: uniqueText,
  });
}
