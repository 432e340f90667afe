import { untilFetched } from "../../coverage/hits/hit_source.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { SimilarTests } from "../../coverage/questions/similar_tests.ts";
import { rangesByFile } from "../../report/line_ranges.ts";
import { printable } from "../../report/text_style.ts";
import { flakyJson, flakyText } from "../../report/flaky_text.ts";
import {
  type FunctionGrouping,
  showJson,
  type ShownTest,
  showTest,
  showText,
} from "../../report/show_text.ts";
import { oneTest, openToFetch, printAnswer, QUESTION_HELP, QUESTION_OPTIONS } from "../question.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";

/** Similar tests listed. */
const SIMILAR = 5;

/** `kernelcov show TEST`. */
export const showCommand: Command = {
  help: `kernelcov show TEST
    What one test reached: the system calls and what ran on its behalf, where the record has them, the lines that only
    this test ran, the most similar tests, and its functions. Repeats of a test are shown together.
    TEST            its full name, its file and name, or a part of the name that no other test has
    --by WHAT       put functions under the call that ran them first (call, the default), under the call and how it came
                    to run (origin), or under their folder and file, those that the fewest tests run first (file)
    --flaky         instead: the points that only some of its repeats hit
    --plain         only FILE:LINES, one file a line
${QUESTION_HELP}`,
  run,
};

const GROUPINGS: readonly FunctionGrouping[] = ["file", "call", "origin"];

function groupingOf(value: string | undefined): FunctionGrouping | undefined {
  if (value === undefined) return undefined;
  const found = GROUPINGS.find((grouping) => grouping === value);
  if (found !== undefined) return found;
  throw new UsageError(`Unknown --by "${value}": use file, call or origin`);
}

async function run(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, {
    ...QUESTION_OPTIONS,
    flaky: { type: "boolean" },
    by: { type: "string" },
  });
  const by = groupingOf(values.by);
  if (operands.length !== 1) throw new UsageError("Name one test");
  const { coverage } = await openToFetch(values);
  const group = oneTest(coverage, operands[0]);
  if (values.flaky) {
    if (group.tests.length === 1) {
      throw new UsageError(
        "The test was run once: kernelcov test --repeat N finds flaky points",
      );
    }
    await untilFetched(coverage, () => group.tests.map((test) => coverage.tests[test].points));
    return printAnswer(values, {
      json: () => [flakyJson(coverage, group)],
      text: (style) => flakyText(coverage, group, style),
    });
  }
  const shown = await untilFetched(coverage, () => shownOf(coverage, operands[0], by));
  return printAnswer(values, {
    json: () => [showJson(coverage, shown)],
    text: (style) => showText(coverage, shown, style),
    plain: () =>
      Object.entries(rangesByFile(coverage.universe, shown.lines))
        .map(([file, lines]) => `${printable(file)}:${lines}\n`).join(""),
  });
}

/** What a test reached, with the tests that are most similar. */
function shownOf(
  coverage: RunCoverage,
  name: string,
  by: FunctionGrouping | undefined,
): ShownTest {
  const group = oneTest(coverage, name);
  const similar = new SimilarTests(coverage).of(group.tests[0], SIMILAR + group.tests.length - 1)
    .filter(({ test }) => !group.tests.includes(test)).slice(0, SIMILAR);
  return showTest(coverage, group, similar, by);
}
