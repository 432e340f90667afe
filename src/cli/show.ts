import process from "node:process";
import { SimilarTests } from "../coverage/similar_tests.ts";
import { rangesByFile } from "../report/line_ranges.ts";
import { printable } from "../report/text_style.ts";
import { showJson, showTest, showText } from "../report/show_text.ts";
import { parseCommandLine } from "./command_line.ts";
import {
  oneTest,
  openRunOf,
  outputStyle,
  printJson,
  QUESTION_HELP,
  QUESTION_OPTIONS,
} from "./question.ts";
import { UsageError } from "./usage_error.ts";

/** Similar tests listed. */
const SIMILAR = 5;

const HELP = `kernelcov show TEST
    What one test reached: functions, the lines that only it ran, the tests most like it.
    TEST            its full name, file and name, or a part that no other test's name has
    --plain         only FILE:LINES, one file a line
${QUESTION_HELP}`;

/** `kernelcov show TEST`. */
export function showCommand(args: string[]): number {
  const { values, operands } = parseCommandLine(args, QUESTION_OPTIONS);
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (operands.length !== 1) throw new UsageError("Name one test");
  const { coverage } = openRunOf(values);
  const { tests } = oneTest(coverage, operands[0]!);
  const similar = new SimilarTests(coverage);
  const shown = tests.map((test) => showTest(coverage, test, similar.of(test, SIMILAR)));
  if (values.json) printJson(shown.map((entry) => showJson(coverage, entry)));
  else if (values.plain) {
    for (const test of tests) {
      const files = Object.entries(rangesByFile(coverage.universe, coverage.linesOf(test).lines));
      process.stdout.write(files.map(([file, lines]) => `${printable(file)}:${lines}\n`).join(""));
    }
  } else {
    process.stdout.write(
      shown.map((entry) => showText(coverage, entry, outputStyle())).join("\n"),
    );
  }
  return 0;
}
