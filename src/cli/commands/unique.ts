import { uniqueCoverage } from "../../coverage/questions/unique_coverage.ts";
import { uniqueJson } from "../../report/answer_json.ts";
import { uniqueText } from "../../report/answer_text.ts";
import { askRun, QUESTION_HELP } from "../question.ts";
import type { Command } from "../command_line.ts";

/** `kernelcov unique`. */
export const uniqueCommand: Command = {
  help: `kernelcov unique
    The tests that cover something that no other test covers, and how much.
    --plain         only the tests, one a line
    --filter RUNNER arguments that make deno or bun run these tests
${QUESTION_HELP}`,
  run: (args) =>
    askRun(args, {
      answer: uniqueCoverage,
      fetches: true,
      tests: (unique) => unique.map(({ test }) => test),
      json: uniqueJson,
      text: uniqueText,
    }),
};
