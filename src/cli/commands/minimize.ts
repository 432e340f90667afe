import { minimizeTests } from "../../coverage/questions/minimize_tests.ts";
import { minimalSetJson } from "../../report/answer_json.ts";
import { minimalSetText } from "../../report/answer_text.ts";
import { askRun, QUESTION_HELP } from "../question.ts";
import type { Command } from "../command_line.ts";

/** `kernelcov minimize`. Points that come and go between repeats need not be kept. */
export const minimizeCommand: Command = {
  help: `kernelcov minimize
    A small set of tests that hits every point that the run hit, those that add most first.
    --plain         only the tests, one a line
    --filter RUNNER arguments that make deno or bun run these tests
${QUESTION_HELP}`,
  run: (args) =>
    askRun(args, {
      answer: minimizeTests,
      tests: ({ kept }) => kept.map(({ test }) => test),
      json: minimalSetJson,
      text: minimalSetText,
    }),
};
