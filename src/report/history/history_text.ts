import type {
  BuildHistory,
  BuildStep,
  ChangedTest,
  LostLine,
  ShareHistory,
} from "../../coverage/history/build_history.ts";
import type { HistoryBuild } from "../../coverage/history/matched_lines.ts";
import { groupNames } from "../../coverage/questions/find_source.ts";
import { repeatIndex } from "../../coverage/repeat_index.ts";
import type { LineShare, RunCoverage } from "../../coverage/run_coverage.ts";
import { columns } from "../answer_text.ts";
import { formatRanges } from "../line_ranges.ts";
import { testLabel } from "../test_label.ts";
import {
  formatCount,
  formatPercent,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "../text_style.ts";

/** Rows that are shown of a list; JSON has all. */
const MAX_ROWS = 40;
/** Tests and functions that are named in one line. */
const MAX_NAMES = 3;

/** How coverage goes from build to build, in words. */
export function historyText(
  builds: readonly HistoryBuild[],
  { files, functions, steps }: BuildHistory,
  style: TextStyle = PLAIN_STYLE,
): string {
  const lines = [
    ...columns([
      ["build", "build id", "tests", "functions", "lines", "", ""],
      ...builds.map(({ name, coverage }) => buildRow(name, coverage)),
    ]),
    ...shareTable("file", builds, files, style),
    ...shareTable("function", builds, functions, style),
    ...steps.flatMap((step) => stepLines(builds[step.from], builds[step.from + 1], step, style)),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function buildRow(name: string, coverage: RunCoverage): string[] {
  const { universe: { counts, image }, totals } = coverage;
  return [
    printable(name),
    image.buildId.slice(0, 12),
    formatCount(repeatIndex(coverage).tests),
    formatCount(totals.functions),
    formatCount(totals.lines),
    `of ${formatCount(counts.lines)}`,
    formatPercent(totals.lines, counts.lines),
  ];
}

/** Those whose coverage is not the same in all builds. */
function shareTable(
  what: "file" | "function",
  builds: readonly HistoryBuild[],
  all: readonly ShareHistory[],
  style: TextStyle,
): string[] {
  const changed = all.filter(({ shares }) => new Set(shares.map(shareText)).size > 1);
  const same = plural(all.length - changed.length, what);
  const heading = changed.length === 0
    ? `${same}, the same in all builds`
    : `${plural(changed.length, what)} that the builds do not cover alike (${same} alike)`;
  const rows = changed.slice(0, MAX_ROWS).map(({ file, function: name, shares }) => [
    printable(name === undefined ? file : `${file} ${name}`),
    ...shares.map(shareText),
  ]);
  return [
    paint(heading, "bold", style),
    ...rows.length === 0 ? [] : columns([[
      "lines hit",
      ...builds.map(({ name }) => printable(name)),
    ], ...rows]),
    ...more(changed.length - rows.length, what),
  ];
}

function shareText(share: LineShare | null): string {
  return share === null ? "-" : `${formatCount(share.linesHit)}/${formatCount(share.lines)}`;
}

function more(count: number, what: string): string[] {
  return count <= 0 ? [] : [`  and ${plural(count, `more ${what}`)}: --json has all`];
}

function stepLines(
  older: HistoryBuild,
  newer: HistoryBuild,
  { lost, without, tests, gone, added }: BuildStep,
  style: TextStyle,
): string[] {
  const groups = Map.groupBy(
    lost,
    ({ file, functions, tests }) => JSON.stringify([file, functions, tests]),
  );
  const shown = [...groups.values()].slice(0, MAX_ROWS);
  const { changed } = without;
  const other = [
    ...changed === 0 ? [] : [`${plural(changed, "line")} changed`],
    ...without["no-points"] === 0
      ? []
      : [`${plural(without["no-points"], "line")} without coverage points now`],
    ...without["no-file"] === 0
      ? []
      : [`${plural(without["no-file"], "line")} of files that it has not`],
    ...without["no-source"] === 0
      ? []
      : [`${plural(without["no-source"], "line")} of files whose text as built is not at hand`],
  ];
  return [
    paint(`From ${printable(older.name)} to ${printable(newer.name)}`, "bold", style),
    ...other.length === 0 ? [] : [`  not compared, of lines that ran: ${other.join(", ")}`],
    `  ${plural(lost.length, "line")} that no test runs any more`,
    ...shown.flatMap((lines) => lostText(older.coverage, lines)),
    ...more(groups.size - shown.length, "place"),
    `  ${plural(tests.length, "test")} with other coverage of the same lines`,
    ...tests.slice(0, MAX_ROWS).flatMap((test) => changedText(newer.coverage, test)),
    ...more(tests.length - MAX_ROWS, "test"),
    ...namesText("not there any more", older.coverage, gone),
    ...namesText("new", newer.coverage, added),
  ];
}

function lostText(older: RunCoverage, lines: readonly LostLine[]): string[] {
  const [{ file, functions, tests }] = lines;
  const inside = functions.length === 0 ? "" : ` in ${functions.join(", ")}`;
  return [
    `    ${printable(`${file}:${formatRanges(lines.map(({ line }) => line))}${inside}`)}`,
    `      ran in ${named(tests.map((test) => testLabel(older, test)))}`,
  ];
}

function changedText(
  newer: RunCoverage,
  { after, lost, gained, changedLines }: ChangedTest,
): string[] {
  const reason = changedLines === 0
    ? "nothing that it runs was changed"
    : `it runs ${plural(changedLines, "changed line")}`;
  const parts = [
    ...lost.length === 0 ? [] : [`${plural(lost.length, "line")} less${places(newer, lost)}`],
    ...gained.length === 0 ? [] : [`${plural(gained.length, "line")} more${places(newer, gained)}`],
  ];
  return [`    ${testLabel(newer, after)}`, `      ${parts.join(", ")}; ${reason}`];
}

function places({ universe }: RunCoverage, lines: readonly number[]): string {
  const groups = new Set(lines.map((line) => universe.functions.lineGroup[line]));
  groups.delete(-1);
  if (groups.size === 0) return "";
  return ` in ${named([...groups].map((group) => groupNames(universe, group)[0]))}`;
}

function namesText(what: string, coverage: RunCoverage, tests: readonly number[]): string[] {
  if (tests.length === 0) return [];
  const names = named(tests.map((test) => testLabel(coverage, test)));
  return [`  ${plural(tests.length, "test")} ${what}: ${names}`];
}

function named(names: readonly string[]): string {
  const rest = names.length - MAX_NAMES;
  const shown = names.slice(0, MAX_NAMES).map(printable).join(", ");
  return rest <= 0 ? shown : `${shown} and ${formatCount(rest)} more`;
}
