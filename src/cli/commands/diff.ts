import { statSync } from "node:fs";
import { type BuildDifference, compareBuilds } from "../../coverage/questions/compare_builds.ts";
import {
  compareCoverage,
  type CoverageSide,
  runSide,
  testSide,
} from "../../coverage/questions/compare_coverage.ts";
import { repeatGroups } from "../../coverage/test_repeats.ts";
import { DEFAULT_RUN_FOLDER } from "../../record/run_folder.ts";
import { differenceJson } from "../../report/answer_json.ts";
import { buildDifferenceText, differenceText } from "../../report/answer_text.ts";
import { formatRanges } from "../../report/line_ranges.ts";
import { testLabel } from "../../report/test_label.ts";
import { printable } from "../../report/text_style.ts";
import {
  oneTest,
  openRunsOf,
  printAnswer,
  QUESTION_HELP,
  QUESTION_OPTIONS,
  type QuestionValues,
} from "../question.ts";
import { namesStore } from "../stores/open_store.ts";
import { type Command, parseCommandLine, UsageError } from "../command_line.ts";

/** `kernelcov diff A B`. */
export const diffCommand: Command = {
  help: `kernelcov diff A B
    What two tests of a run, or two runs, cover differently: by line, or by function if the runs are of two kernel builds.
    A, B            names of tests as in kernelcov show, or folders of runs or stores
    --plain         only the lines, as columns separated by tabs: A or B, FILE:LINES, function. For two builds: file,
                    function, and HIT/ALL lines of A and of B, or - for none
${QUESTION_HELP}`,
  run,
};

async function run(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, QUESTION_OPTIONS);
  if (operands.length !== 2) throw new UsageError("Name two tests, or the folders of two runs");
  const [a, b] = operands as [string, string];
  if (isRun(a) !== isRun(b)) {
    throw new UsageError("Cannot compare a test with a run: name two tests or two folders");
  }
  const names: [string, string] = [a, b];
  let sides: [CoverageSide, CoverageSide];
  const runs = await openRunsOf(values, isRun(a) ? [a, b] : [values.run ?? DEFAULT_RUN_FOLDER]);
  const { coverage } = runs[0];
  const other = runs[1]?.coverage;
  if (other !== undefined) {
    sides = [runSide(coverage, repeatGroups(coverage)), runSide(other, repeatGroups(other))];
  } else {
    const groups = [oneTest(coverage, a), oneTest(coverage, b)] as const;
    names[0] = testLabel(coverage, groups[0].tests[0]);
    names[1] = testLabel(coverage, groups[1].tests[0]);
    sides = [testSide(groups[0]), testSide(groups[1])];
  }
  if (other !== undefined && other.universe !== coverage.universe) {
    return printBuildDifference(names, compareBuilds(coverage, other), values);
  }
  const difference = compareCoverage(coverage.universe, ...sides);
  return printAnswer(values, {
    json: () => differenceJson(names, difference),
    text: (style) => differenceText(names, difference, style),
    plain: () =>
      difference.functions.flatMap(({ file, function: name, onlyA, onlyB }) =>
        ([["A", onlyA], ["B", onlyB]] as const).filter(([, lines]) => lines.length > 0).map(
          ([side, lines]) =>
            `${side}\t${printable(file)}:${formatRanges(lines)}\t${printable(name)}\n`,
        )
      ).join(""),
  });
}

function printBuildDifference(
  names: readonly [string, string],
  difference: BuildDifference,
  values: QuestionValues,
): number {
  return printAnswer(values, {
    json: () => ({ a: names[0], b: names[1], ...difference }),
    text: (style) => buildDifferenceText(names, difference, style),
    plain: () =>
      difference.functions.map(({ file, function: name, a, b }) => {
        const [hitA, hitB] = [a, b].map((share) =>
          share === null ? "-" : `${share.linesHit}/${share.lines}`
        );
        return `${file}\t${name}\t${hitA}\t${hitB}\n`;
      }).join(""),
  });
}

function isRun(path: string): boolean {
  return namesStore(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
