import type { BuildDifference } from "../coverage/questions/compare_builds.ts";
import type { CoverageDifference } from "../coverage/questions/compare_coverage.ts";
import type { MinimalSet } from "../coverage/questions/minimize_tests.ts";
import type { PatchAnswer, PickReason } from "../coverage/patch/patch_tests.ts";
import { repeatIndex, type RepeatShare } from "../coverage/repeat_index.ts";
import type { LineShare, RunCoverage } from "../coverage/run_coverage.ts";
import { type LeftOut, NOTHING_LEFT_OUT } from "../coverage/origin_selection.ts";
import { machineOf } from "../coverage/questions/test_origins.ts";
import type { UniqueCoverage } from "../coverage/questions/unique_coverage.ts";
import type { FilesAnswer } from "../coverage/questions/which_files.ts";
import type {
  FunctionAnswer,
  LineAnswer,
  LineState,
  Reached,
} from "../coverage/questions/which_tests.ts";
import { formatRanges } from "./line_ranges.ts";
import { leftOutText } from "./origins/left_out_text.ts";
import { originsText } from "./origins/origin_text.ts";
import { testLabel } from "./test_label.ts";
import {
  columnWidth,
  displayWidth,
  formatCount,
  formatPercent,
  pad,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "./text_style.ts";

/** What each {@linkcode LineState} means, for people. */
const STATE_TEXT: Readonly<Record<LineState, string>> = {
  covered: "covered",
  uncovered: "no test runs it",
  "no-code": "no coverage point claims this line: it has no code of its own",
  unknown: "only a tail call claims this line, which KCOV cannot see",
  "not-instrumented": "the kernel was built without coverage points in this file",
  "not-built": "the image has no code of this file",
};

/** Functions and lines listed before the rest is summed up. */
const MAX_ROWS = 40;

/** Which tests run a line. */
export function lineAnswerText(
  coverage: RunCoverage,
  answer: LineAnswer,
  style: TextStyle = PLAIN_STYLE,
): string {
  const inFunction = answer.functions.length === 0 ? "" : ` in ${answer.functions.join(", ")}`;
  const lines = [paint(printable(`${answer.file}:${answer.line}${inFunction}`), "bold", style)];
  if (answer.state !== "covered") {
    lines.push(`  ${paint(STATE_TEXT[answer.state], "yellow", style)}`);
    if (answer.nearest.length > 0) {
      lines.push(`  lines near it that can be covered: ${answer.nearest.join(", ")}`);
    }
    return joinLines([...lines, ...leftOutLines(coverage, answer)]);
  }
  lines.push(
    `  ${answer.pointsHit} of ${plural(answer.points, "point")} hit, by ${
      plural(answer.tests.length, "test")
    }`,
  );
  const rows = answer.tests.map(({ test, count, pointsHit, repeats }) => [
    testLabel(coverage, test),
    `${formatCount(count)} ×`,
    pointsHit < answer.points ? `${pointsHit} of ${answer.points} points` : "",
    repeatsText(repeats),
  ]);
  return joinLines([
    ...lines,
    ...leftOutLines(coverage, answer),
    ...testLines(coverage, answer.tests, rows, style),
  ]);
}

/** What of a place does not count, and how it would. */
function leftOutLines(
  { selection }: RunCoverage,
  { leftOut = NOTHING_LEFT_OUT }: { readonly leftOut?: LeftOut },
): string[] {
  const text = leftOutText(leftOut, selection);
  return text === undefined ? [] : [`  ${text}`];
}

/** Which tests enter a function. */
export function functionAnswerText(
  coverage: RunCoverage,
  answer: FunctionAnswer,
  style: TextStyle = PLAIN_STYLE,
): string {
  const place = `${answer.function} (${answer.file}:${answer.line})`;
  return linesAnswerText(coverage, place, answer, style);
}

/** Which tests run a line of some files. */
export function filesAnswerText(
  coverage: RunCoverage,
  answer: FilesAnswer,
  style: TextStyle = PLAIN_STYLE,
): string {
  const { place, files } = answer;
  const which = files.length === 1 ? files[0] : `${place} (${plural(files.length, "file")})`;
  return linesAnswerText(coverage, which, answer, style);
}

function linesAnswerText(
  coverage: RunCoverage,
  place: string,
  { lines, linesHit, tests, leftOut }: Pick<
    FunctionAnswer & FilesAnswer,
    "lines" | "linesHit" | "tests" | "leftOut"
  >,
  style: TextStyle,
): string {
  const rows = tests.map(({ test, lines, repeats }) => [
    testLabel(coverage, test),
    plural(lines, "line"),
    repeatsText(repeats),
  ]);
  return joinLines([
    paint(printable(place), "bold", style),
    `  ${linesHit} of ${plural(lines, "line")} hit, by ${plural(tests.length, "test")}`,
    ...leftOutLines(coverage, leftOut === undefined ? {} : { leftOut }),
    ...testLines(coverage, tests, rows, style),
  ]);
}

/** A line for each test and, where it is known, one below it with the calls through which it reaches the place. */
function testLines(
  coverage: RunCoverage,
  tests: readonly Reached[],
  rows: readonly (readonly string[])[],
  style: TextStyle,
): string[] {
  const machine = machineOf(coverage);
  return columns(rows).flatMap((line, i) => {
    const { origins = [] } = tests[i];
    if (origins.length === 0) return [line];
    return [line, `    ${paint(originsText(machine, origins), "dim", style)}`];
  });
}

/** Marks what only some repeats hit. */
function repeatsText(repeats: RepeatShare | undefined): string {
  return repeats === undefined || repeats.hit === repeats.of
    ? ""
    : `flaky: in ${repeats.hit} of ${repeats.of} repeats`;
}

/** Which tests a patch needs, and what it leaves untested. */
export function patchAnswerText(
  coverage: RunCoverage,
  answer: PatchAnswer,
  style: TextStyle = PLAIN_STYLE,
): string {
  const lines: string[] = [];
  if (answer.runAll.length > 0) {
    lines.push(paint("Run all tests: this cannot be judged", "yellow", style));
    for (const { path, reason } of answer.runAll) lines.push(printable(`  ${path}: ${reason}`));
  }
  lines.push(paint(plural(answer.tests.length, "test"), "bold", style));
  for (const { test, score, reasons } of answer.tests) {
    lines.push(`  ${pad(score.toFixed(3), 7, "right")}  ${testLabel(coverage, test)}`);
    for (const reason of reasons) {
      lines.push(`           ${paint(printable(reasonText(reason)), "dim", style)}`);
    }
  }
  if (answer.incomplete.length > 0) {
    lines.push(
      paint(
        "Cannot be ruled out: their coverage is not whole (truncated or failed)",
        "yellow",
        style,
      ),
      ...answer.incomplete.map((test) => `  ${testLabel(coverage, test)}`),
    );
  }
  const [leftOut] = leftOutLines(coverage, answer);
  if (leftOut !== undefined) {
    lines.push(
      paint("Other tests may enter the changed functions in what does not count", "yellow", style),
      leftOut,
    );
  }
  lines.push(paint("Hunks", "bold", style));
  for (const hunk of answer.hunks) {
    const place = `${printable(hunk.path)}${hunk.line > 0 ? `:${hunk.line}` : ""}`;
    const color = hunk.state === "covered"
      ? "green"
      : hunk.state === "uncovered"
      ? "red"
      : "yellow";
    lines.push(`  ${place}  ${paint(hunk.state, color, style)}  ${printable(hunk.reason)}`);
    if (hunk.uncovered.length > 0) {
      lines.push(
        `    no test runs ${plural(hunk.uncovered.length, "line")}: ${
          formatRanges(hunk.uncovered)
        }`,
      );
    }
  }
  return joinLines(lines);
}

/** One reason for a test, in words. */
export function reasonText(
  { path, closeness, functions, lines, owners }: PickReason,
): string {
  const inside = functions.length === 0 ? "" : ` in ${functions.join(", ")}`;
  const others = owners <= 1 ? "no other test does" : `as ${plural(owners - 1, "other test")}`;
  const where = lines.length === 0 ? path : `${path}:${formatRanges(lines)}`;
  switch (closeness) {
    case "line":
      return `runs ${where}${inside}, ${others}`;
    case "around":
      return `runs ${where} around the change${inside}, ${others}`;
    case "function":
      return `enters ${functions.join(", ")} (${path}) but does not run the changed lines`;
    case "file":
      return `reaches ${path}, changed outside functions`;
  }
}

/** What two tests or two runs do not cover alike. */
export function differenceText(
  names: readonly [string, string],
  difference: CoverageDifference,
  style: TextStyle = PLAIN_STYLE,
): string {
  const { points, lines: counts, functions, flakyPoints, similarity } = difference;
  const row = (what: string, part: { onlyA: number; onlyB: number; both: number }): string[] => [
    what,
    formatCount(part.onlyA),
    formatCount(part.both),
    formatCount(part.onlyB),
  ];
  const lines = [
    ...sideNames(names, style),
    ...columns([["", "only A", "both", "only B"], row("points", points), row("lines", counts)]),
    `  ${formatPercent(Math.round(similarity * 1e6), 1e6)} of their points are common`,
  ];
  if (flakyPoints > 0) {
    lines.push(
      `  ${
        paint(
          `flaky: ${plural(flakyPoints, "point")} of the difference, hit in some repeats only`,
          "yellow",
          style,
        )
      }`,
    );
  }
  for (const entry of functions.slice(0, MAX_ROWS)) {
    const parts = [
      ...(entry.onlyA.length > 0 ? [`A ${formatRanges(entry.onlyA)}`] : []),
      ...(entry.onlyB.length > 0 ? [`B ${formatRanges(entry.onlyB)}`] : []),
    ];
    const alone = entry.both === 0 && (entry.onlyA.length === 0 || entry.onlyB.length === 0)
      ? ` (only ${entry.onlyA.length > 0 ? "A" : "B"} enters it)`
      : "";
    lines.push(printable(`  ${entry.file} ${entry.function}${alone}: ${parts.join("; ")}`));
  }
  lines.push(...moreFunctions(functions));
  return joinLines(lines);
}

/** What runs on two kernel builds do not cover alike, by function. */
export function buildDifferenceText(
  names: readonly [string, string],
  { entered, functions }: BuildDifference,
  style: TextStyle = PLAIN_STYLE,
): string {
  const counts = [entered.onlyA, entered.both, entered.onlyB].map(formatCount);
  const lines = [
    ...sideNames(names, style),
    "  the kernels are two builds: functions are compared, not lines",
    ...columns([["", "only A", "both", "only B"], ["functions", ...counts]]),
  ];
  for (const entry of functions.slice(0, MAX_ROWS)) {
    const parts = [`A ${shareText(entry.a)}`, `B ${shareText(entry.b)}`].join("; ");
    lines.push(`  ${printable(entry.file)} ${printable(entry.function)}: ${parts}`);
  }
  lines.push(...moreFunctions(functions));
  return joinLines(lines);
}

function sideNames([a, b]: readonly [string, string], style: TextStyle): string[] {
  return [
    `${paint("A", "bold", style)}  ${printable(a)}`,
    `${paint("B", "bold", style)}  ${printable(b)}`,
  ];
}

function moreFunctions({ length }: readonly unknown[]): string[] {
  if (length <= MAX_ROWS) return [];
  return [`  and ${plural(length - MAX_ROWS, "more function")}: --json has all`];
}

function shareText(share: LineShare | null): string {
  if (share === null) return "has no such function";
  const { lines, linesHit } = share;
  return linesHit === 0
    ? "does not enter it"
    : `${formatCount(linesHit)} of ${plural(lines, "line")}`;
}

/** A small set of tests with all points of the run. */
export function minimalSetText(
  coverage: RunCoverage,
  { kept, redundant, points }: MinimalSet,
  style: TextStyle = PLAIN_STYLE,
): string {
  const lines = [
    paint(
      `${kept.length} of ${plural(kept.length + redundant.length, "test")} hit all ${
        plural(points, "point")
      }`,
      "bold",
      style,
    ),
    ...columns(kept.map(({ test, added, total }) => [
      testLabel(coverage, test),
      `+${formatCount(added)}`,
      formatPercent(total, points),
    ])),
    `${plural(redundant.length, "test")} hit nothing that these do not`,
  ];
  return joinLines(lines);
}

/** What each test alone covers. */
export function uniqueText(
  coverage: RunCoverage,
  unique: readonly UniqueCoverage[],
  style: TextStyle = PLAIN_STYLE,
): string {
  const lines = [
    paint(
      `${unique.length} of ${plural(repeatIndex(coverage).tests, "test")} cover something alone`,
      "bold",
      style,
    ),
    ...columns(unique.map(({ test, points, lines }) => [
      testLabel(coverage, test),
      plural(lines.length, "line"),
      plural(points, "point"),
    ])),
  ];
  return joinLines(lines);
}

/** Rows with aligned columns: the first to the left, the others to the right, two spaces in front. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = columnWidth(widths[i] ?? 0, [displayWidth(cell)]));
  }
  return rows.map((row) =>
    `  ${row.map((cell, i) => pad(cell, widths[i], i === 0 ? "left" : "right")).join("  ")}`
      .trimEnd()
  );
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
