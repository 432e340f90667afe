import type { BuildHistory, BuildStep } from "../../coverage/history/build_history.ts";
import type { HistoryBuild } from "../../coverage/history/matched_lines.ts";
import { repeatIndex } from "../../coverage/repeat_index.ts";
import { testReference } from "../answer_json.ts";
import { rangesByFile } from "../line_ranges.ts";

/** How coverage goes from build to build, with names instead of numbers and lines as ranges by file. */
export function historyJson(
  builds: readonly HistoryBuild[],
  { files, functions, steps }: BuildHistory,
): unknown {
  return {
    builds: builds.map(({ name, coverage }) => ({
      name,
      buildId: coverage.universe.image.buildId,
      tests: repeatIndex(coverage).tests,
      functions: coverage.totals.functions,
      functionsAll: coverage.universe.counts.functions,
      lines: coverage.totals.lines,
      linesAll: coverage.universe.counts.lines,
    })),
    files,
    functions,
    steps: steps.map((step) => stepJson(builds[step.from], builds[step.from + 1], step)),
  };
}

function stepJson(
  { name: from, coverage: older }: HistoryBuild,
  { name: to, coverage: newer }: HistoryBuild,
  { lost, without, tests, gone, added }: BuildStep,
): unknown {
  const { universe } = newer;
  return {
    from,
    to,
    lost: lost.map(({ tests, ...rest }) => ({
      ...rest,
      tests: tests.map((test) => testReference(older, test)),
    })),
    notCompared: without,
    changedTests: tests.map(({ after, lost, gained, changedLines }) => ({
      ...testReference(newer, after),
      lost: rangesByFile(universe, Uint32Array.from(lost)),
      gained: rangesByFile(universe, Uint32Array.from(gained)),
      changedLines,
    })),
    gone: gone.map((test) => testReference(older, test)),
    added: added.map((test) => testReference(newer, test)),
  };
}
