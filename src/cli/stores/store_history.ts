import { statSync } from "node:fs";
import { buildHistory } from "../../coverage/history/build_history.ts";
import type { HistoryBuild } from "../../coverage/history/matched_lines.ts";
import { historyJson } from "../../report/history/history_json.ts";
import { historyText } from "../../report/history/history_text.ts";
import type { LoadedRun } from "../../run/load_run.ts";
import { parseCommandLine, UsageError } from "../command_line.ts";
import { openRunsOf, printAnswer, QUESTION_OPTIONS } from "../question.ts";
import { inputPaths } from "./store_inputs.ts";

const { plain: _plain, run: _run, ...OPTIONS } = QUESTION_OPTIONS;

/** `kernelcov store history`: how coverage goes from build to build, each a store or a run. */
export async function storeHistory(args: string[]): Promise<number> {
  const { values, operands } = parseCommandLine(args, OPTIONS);
  const names = inputPaths(operands);
  if (names.length < 2) throw new UsageError("Name the stores of two builds or more, oldest first");
  const loaded = await openRunsOf(values, names);
  const builds = loaded.map((run, at) => historyBuild(names[at], run));
  const history = buildHistory(builds);
  return printAnswer(values, {
    json: () => historyJson(builds, history),
    text: (style) => historyText(builds, history, style),
  });
}

/** A source that was changed since the image was built is not what it was built from. */
function historyBuild(name: string, { coverage, sources, imagePath }: LoadedRun): HistoryBuild {
  const built = imagePath === undefined ? 0 : statSync(imagePath).mtimeMs;
  return { name, coverage, source: (file) => sources.readAsBuilt(file, built) };
}
