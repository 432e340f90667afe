import { groupNames } from "../coverage/questions/find_source.ts";
import { type LeftOut, leftOutTotal, NOTHING_LEFT_OUT } from "../coverage/origin_selection.ts";
import { FirstRunOrder } from "../coverage/first_run_order.ts";
import type { OriginHits } from "../coverage/origin_hits.ts";
import type { HitTotals } from "../coverage/line_tally.ts";
import { union } from "../coverage/point_sets.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { testsOfEach } from "../coverage/questions/line_tests.ts";
import type { SimilarTest } from "../coverage/questions/similar_tests.ts";
import { soleOwners } from "../coverage/questions/sole_owners.ts";
import {
  machineOf,
  originContext,
  type OriginGrouping,
  type OriginRow,
  originRows,
  originsOfTests,
} from "../coverage/questions/test_origins.ts";
import type { RepeatGroup } from "../coverage/test_repeats.ts";
import { testReference } from "./answer_json.ts";
import { columns } from "./answer_text.ts";
import { formatRanges, rangesByFile } from "./line_ranges.ts";
import { leftOutText } from "./origins/left_out_text.ts";
import { originsJson } from "./origins/origin_json.ts";
import { originTable } from "./origins/origin_table.ts";
import { rowText } from "./origins/origin_text.ts";
import { testLabel } from "./test_label.ts";
import {
  formatCount,
  formatPercent,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "./text_style.ts";

/** A function that a test reached. */
export interface ReachedFunction {
  readonly file: string;
  readonly name: string;
  /** First line. */
  readonly line: number;
  /** Lines hit of those that can be. */
  readonly linesHit: number;
  readonly lines: number;
  /** Numbers of the lines that no other test hit. */
  readonly own: readonly number[];
  /** The first row of {@linkcode ShownTest.rows} that ran a line of it; absent where there are none. */
  readonly row?: number;
  /** The smaller, the earlier it first ran in that row; absent where that is not known. */
  readonly rank?: number;
}

/** By what functions are put together: their file, the call that ran them first, or the origin that did. */
export type FunctionGrouping = "file" | OriginGrouping;

/** What one test reached, in all of its repeats. */
export interface ShownTest {
  /** The first of its repeats. */
  readonly test: number;
  readonly repeats: RepeatGroup;
  readonly totals: HitTotals;
  /** Ids of the lines that it hit, ascending. */
  readonly lines: Uint32Array;
  /** By file and line. */
  readonly functions: readonly ReachedFunction[];
  /** Folders of these functions, the most telling first: of which fewest other tests run the lines. */
  readonly folders: readonly string[];
  /** Ids of the lines that only this test hit. */
  readonly unique: Uint32Array;
  readonly similar: readonly SimilarTest[];
  /** What it ran from each origin, in the order of first runs; `undefined` where that is not known. */
  readonly origins: readonly OriginHits[] | undefined;
  /** The same by call or origin; `undefined` where that is not known. */
  readonly rows: readonly OriginRow[] | undefined;
  /** How functions were asked for. */
  readonly by: FunctionGrouping | undefined;
}

/** Collects what a test reached. Its functions are by call, where calls are known, unless `by` says else. */
export function showTest(
  coverage: RunCoverage,
  repeats: RepeatGroup,
  similar: readonly SimilarTest[],
  by?: FunctionGrouping,
): ShownTest {
  const { universe } = coverage;
  const { functions, image } = universe;
  const test = repeats.tests[0];
  const lines = repeats.tests.map((repeat) => coverage.linesOf(repeat).lines).reduce(union);
  const unique = soleOwners(coverage).linesOf(test, lines);
  const groups = new Map<number, Entry>();
  const entryOf = (line: number): Entry | undefined => {
    const group = functions.lineGroup[line];
    if (group < 0) return undefined;
    let entry = groups.get(group);
    if (entry === undefined) groups.set(group, entry = { linesHit: 0, own: [] });
    return entry;
  };
  for (const line of lines) {
    const entry = entryOf(line);
    if (entry !== undefined) entry.linesHit++;
  }
  for (const line of unique) entryOf(line)?.own.push(image.lineNumber[line]);
  const origins = originsOfTests(coverage, repeats.tests);
  const rows = origins &&
    originRows(
      origins,
      by === "origin" ? by : "call",
      originContext(coverage, repeats.tests),
    );
  rows?.forEach(({ points }, row) => {
    for (const line of coverage.linesOfPoints(points)) {
      const entry = entryOf(line);
      if (entry !== undefined) entry.row ??= row;
    }
  });
  const { firstRuns } = coverage.tests[test].record;
  if (rows !== undefined && firstRuns !== undefined) {
    rankFunctions(coverage, rows, new FirstRunOrder(image, firstRuns), entryOf);
  }
  return {
    test,
    repeats,
    totals: repeats.tests.length === 1
      ? coverage.tests[test].totals
      : coverage.totalsOf(union(repeats.steady, repeats.flaky)),
    lines,
    functions: [...groups].sort(([a], [b]) => a - b).map(([group, entry]) => {
      const { lines } = coverage.lineShare(
        functions.groupLine[group],
        functions.groupLineEnd[group],
      );
      return {
        file: image.files[functions.groupFile[group]],
        name: groupNames(universe, group).join(", "),
        line: image.lineNumber[functions.groupLine[group]],
        ...entry,
        lines,
      };
    }),
    folders: tellingFolders(coverage, lines),
    unique,
    similar,
    origins,
    rows,
    by,
  };
}

/** What is gathered of a function. */
interface Entry {
  linesHit: number;
  readonly own: number[];
  row?: number;
  rank?: number;
}

/** Gives each function the rank of the first of its points that its row ran. */
function rankFunctions(
  { universe: { image: { claimStart, claimLine }, linePoints } }: RunCoverage,
  rows: readonly OriginRow[],
  order: FirstRunOrder,
  entryOf: (line: number) => Entry | undefined,
): void {
  rows.forEach(({ points }, row) => {
    for (const point of points) {
      const rank = order.rankOf(point);
      for (let claim = claimStart[point]; claim < claimStart[point + 1]; claim++) {
        const line = claimLine[claim];
        const entry = linePoints[line] === 0 ? undefined : entryOf(line);
        if (entry?.row === row) entry.rank = Math.min(entry.rank ?? Infinity, rank);
      }
    }
  });
}

/**
 * The folders of lines, by how many tests run each line of them on average, the fewest first. What every test runs, such
 * as the entry of system calls in `arch`, is last; so is `arch` among folders that as many run.
 */
function tellingFolders(
  coverage: RunCoverage,
  lines: Uint32Array,
): string[] {
  const { image } = coverage.universe;
  const tests = testsOfEach(coverage, lines);
  const sums = new Map<string, { tests: number; lines: number }>();
  lines.forEach((line, at) => {
    const folder = folderOf(image.files[image.lineFile[line]]);
    const sum = sums.get(folder) ?? { tests: 0, lines: 0 };
    sum.tests += tests[at];
    sum.lines++;
    sums.set(folder, sum);
  });
  const isArch = (folder: string): number => folder.startsWith("arch/") ? 1 : 0;
  return [...sums].sort(([a, x], [b, y]) =>
    x.tests / x.lines - y.tests / y.lines || isArch(a) - isArch(b) || y.lines - x.lines ||
    (a < b ? -1 : 1)
  ).map(([folder]) => folder);
}

function folderOf(file: string): string {
  return file.slice(0, Math.max(0, file.lastIndexOf("/")));
}

/** What a test reached, as text: first what no other test runs, then the rest, the most telling folders first. */
export function showText(
  coverage: RunCoverage,
  shown: ShownTest,
  style: TextStyle = PLAIN_STYLE,
): string {
  const { totals, functions, unique, repeats } = shown;
  const { record } = coverage.tests[shown.test];
  const times = repeats.tests.length === 1
    ? ""
    : `, ${repeats.tests.length} repeats with ${plural(repeats.flaky.length, "flaky point")}`;
  const lines = [
    paint(testLabel(coverage, shown.test), "bold", style),
    `  ${record.outcome}${
      record.durationMs > 0 ? ` in ${record.durationMs.toFixed(1)} ms` : ""
    }${times}; ${plural(totals.functions, "function")}, ${plural(totals.lines, "line")} (${
      formatCount(totals.partialLines)
    } partly), ${plural(totals.points, "point")}`,
    ...originLines(coverage, shown, style),
    paint(`Lines that only this test ran: ${formatCount(unique.length)}`, "bold", style),
    ...functionLines(
      shown,
      functions.filter(({ own }) => own.length > 0),
      style,
      ({ own }) => formatRanges(own),
    ),
    ...outsideFunctions(coverage, unique, style),
  ];
  if (shown.similar.length > 0) {
    lines.push(
      paint("Most similar tests", "bold", style),
      ...columns(shown.similar.map(({ test, similarity }) => [
        testLabel(coverage, test),
        `${(100 * similarity).toFixed(1)} %`,
      ])),
    );
  }
  lines.push(...reachedLines(coverage, shown, style));
  return `${lines.join("\n")}\n`;
}

/** What the calls of a test and the work on its behalf ran; where that is not known, only if it was asked for. */
function originLines(
  coverage: RunCoverage,
  { rows, by, repeats }: ShownTest,
  style: TextStyle,
): string[] {
  if (rows !== undefined) {
    return [...originTable(coverage, rows, style), ...leftOutLines(coverage, repeats, style)];
  }
  if (by === undefined || by === "file") return [];
  return [`  ${paint("system calls are not known: the record has none", "yellow", style)}`];
}

/** What was left out of a test: of several repeats, of the one of which most was. */
function leftOutLines(coverage: RunCoverage, { tests }: RepeatGroup, style: TextStyle): string[] {
  const text = leftOutText(mostLeftOut(coverage, tests), coverage.selection);
  if (text === undefined) return [];
  return [`  ${paint(tests.length === 1 ? text : `${text} (at most)`, "yellow", style)}`];
}

function mostLeftOut(coverage: RunCoverage, tests: readonly number[]): LeftOut {
  return tests.map((test) => coverage.tests[test].leftOut ?? NOTHING_LEFT_OUT)
    .reduce((most, one) => leftOutTotal(one) > leftOutTotal(most) ? one : most);
}

/** All functions that a test reached. */
function reachedLines(coverage: RunCoverage, shown: ShownTest, style: TextStyle): string[] {
  const { functions, rows, by } = shown;
  const list = (some: readonly ReachedFunction[], indent = ""): string[] =>
    functionLines(shown, some, style, share).map((line) => indent + line);
  if (by === "file" || rows === undefined) {
    return [
      paint("Functions, those that the fewest tests run first", "bold", style),
      ...list(functions),
    ];
  }
  const machine = machineOf(coverage);
  return [
    paint(
      coverage.tests[shown.test].record.firstRuns === undefined
        ? "Functions, under the call that ran them first"
        : "Functions, in the order of first run, headers last",
      "bold",
      style,
    ),
    ...rows.flatMap((row, number) => {
      const own = functions.filter((entry) => entry.row === number);
      if (own.length === 0) return [];
      return [
        `  ${paint(printable(rowText(machine, row)), "bold", style)}`,
        ...byEntry(own).flatMap((some) =>
          some.some(({ rank }) => rank !== undefined)
            ? fileLines(byRank(some), style, share).map((line) => `  ${line}`)
            : list(some, "  ")
        ),
      ];
    }),
  ];
}

/**
 * The functions of a call in the order in which to read them: first the file of its entry point, which ran first, then the
 * other sources, then headers, which have the helpers that all of them use.
 */
function byEntry(functions: readonly ReachedFunction[]): ReachedFunction[][] {
  const entered = new Set(functions.filter(({ name }) => ENTRY.test(name)).map(({ file }) => file));
  const rank = ({ file }: ReachedFunction): number =>
    entered.has(file) ? 0 : file.endsWith(".h") ? 2 : 1;
  return [0, 1, 2].map((wanted) => functions.filter((entry) => rank(entry) === wanted));
}

/** Names of entry points of system calls. */
const ENTRY = /\b__(?:do|se|x64|ia32|arm64|riscv)(?:_compat)?_sys_/;

function share({ linesHit, lines }: ReachedFunction): string {
  return `${linesHit} of ${plural(lines, "line")} (${formatPercent(linesHit, lines)})`;
}

/** Functions in the order of their first runs, those of a file together. */
function byRank(functions: readonly ReachedFunction[]): ReachedFunction[] {
  const rankOf = ({ rank = Infinity }: ReachedFunction): number => rank;
  const files = new Map<string, number>();
  for (const entry of functions) {
    files.set(entry.file, Math.min(files.get(entry.file) ?? Infinity, rankOf(entry)));
  }
  return [...functions].sort((a, b) =>
    compare(files.get(a.file)!, files.get(b.file)!) || compare(a.file, b.file) ||
    compare(rankOf(a), rankOf(b)) || a.line - b.line
  );
}

function compare<Value extends number | string>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Functions by folder, those of the most telling first, and file, each with what is said of it. */
function functionLines(
  { folders }: ShownTest,
  functions: readonly ReachedFunction[],
  style: TextStyle,
  say: (entry: ReachedFunction) => string,
): string[] {
  return folders.flatMap((folder) =>
    fileLines(functions.filter((one) => folderOf(one.file) === folder), style, say)
  );
}

/** Functions under their files, each with what is said of it. */
function fileLines(
  functions: readonly ReachedFunction[],
  style: TextStyle,
  say: (entry: ReachedFunction) => string,
): string[] {
  const lines: string[] = [];
  let file = "";
  for (const entry of functions) {
    if (entry.file !== file) lines.push(`  ${paint(printable(entry.file), "cyan", style)}`);
    file = entry.file;
    lines.push(`    ${printable(entry.name)}:${entry.line}  ${say(entry)}`);
  }
  return lines;
}

/** The lines of no function, by file. */
function outsideFunctions(
  { universe }: RunCoverage,
  lines: Uint32Array,
  style: TextStyle,
): string[] {
  const outside = lines.filter((line) => universe.functions.lineGroup[line] < 0);
  return Object.entries(rangesByFile(universe, outside)).map(([path, ranges]) =>
    `  ${paint(printable(path), "cyan", style)}:${ranges}`
  );
}

/** What a test reached, for JSON. */
export function showJson(coverage: RunCoverage, shown: ShownTest): unknown {
  const { record, points } = coverage.tests[shown.test];
  return {
    ...testReference(coverage, shown.test),
    repeats: shown.repeats.tests.length,
    flakyPoints: shown.repeats.flaky.length,
    outcome: record.outcome,
    durationMs: record.durationMs,
    truncated: record.truncated,
    shared: record.shared,
    totals: shown.totals,
    unresolved: points.unresolved,
    files: rangesByFile(coverage.universe, shown.lines),
    functions: shown.functions.map(({ row: _row, rank: _rank, ...entry }) => entry),
    ...shown.origins === undefined ? {} : {
      leftOut: mostLeftOut(coverage, shown.repeats.tests),
      origins: originsJson(
        coverage,
        shown.origins,
        originContext(coverage, shown.repeats.tests),
      ),
    },
    uniqueLines: rangesByFile(coverage.universe, shown.unique),
    similar: shown.similar.map(({ test, similarity }) => ({
      ...testReference(coverage, test),
      similarity,
    })),
  };
}
