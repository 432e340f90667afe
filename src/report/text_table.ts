import { UNRESOLVED_TEXT, type UnresolvedReason, unresolvedTotal } from "../coverage/point_hits.ts";
import type { ModuleCoverage } from "../coverage/module_coverage.ts";
import type { TreeDetails } from "../record/test_record.ts";
import type { RunCoverage, TestCoverage } from "../coverage/run_coverage.ts";
import { union } from "../coverage/point_sets.ts";
import type { RunSource } from "../record/test_record.ts";
import { type RepeatGroup, repeatGroups } from "../coverage/test_repeats.ts";
import { leftOutText, originsUnknownText } from "./origins/left_out_text.ts";
import {
  columnWidth,
  displayWidth,
  fit,
  formatCount,
  formatPercent,
  pad,
  paint,
  PLAIN_STYLE,
  plural,
  printable,
  type TextStyle,
} from "./text_style.ts";

/** Narrowest name column on a terminal. */
const MIN_NAME_WIDTH = 16;
const HEADINGS = ["test", "outcome", "functions", "lines", "points", "notes"] as const;
const GAP = "  ";
/** Of the modules that were hit, so many are named. */
const MODULES_NAMED = 5;

/** A line of the table: a test, or the file that the following tests are in. */
type Row = { file: string } | { cells: string[]; failed: boolean };

/**
 * The table that `kernelcov test` prints: one line per test with what it hit, grouped by test file, and under
 * `notes` everything that makes the line less than the truth.
 */
export function testTable(coverage: RunCoverage, style: TextStyle = PLAIN_STYLE): string {
  const rows: Row[] = [];
  const indent = coverage.tests.some(({ record }) => record.file !== "") ? "  " : "";
  let place = "";
  const runners = new Set(coverage.tests.map(({ record }) => record.runner));
  for (const group of repeatGroups(coverage)) {
    const { file, runner } = coverage.tests[group.tests[0]].record;
    const name = file === "" ? "(unknown file)" : printable(file);
    const now = runners.size > 1 && runner !== undefined ? `${name} (${printable(runner)})` : name;
    if (now !== place) rows.push({ file: now });
    place = now;
    rows.push(testRow(coverage, group, indent));
  }
  const widths = columnWidths(rows, style.width);
  const lines = [paint(layOut([...HEADINGS], widths, style), "bold", style)];
  for (const row of rows) {
    if ("file" in row) lines.push(paint(fit(row.file, style.width), "cyan", style));
    else lines.push(paintRow(row.cells, row.failed, widths, style));
  }
  return `${lines.join("\n")}\n`;
}

/** The row of a test: of all its repeats together, where it was run several times. */
function testRow(coverage: RunCoverage, group: RepeatGroup, indent: string): Row {
  const repeats = group.tests.map((test) => coverage.tests[test]);
  const [first] = repeats as [TestCoverage, ...TestCoverage[]];
  const totals = repeats.length === 1
    ? first.totals
    : coverage.totalsOf(union(group.steady, group.flaky));
  // The first that did not pass, if any.
  const { outcome } = (repeats.find(({ record }) => record.outcome !== "passed") ?? first).record;
  return {
    cells: [
      indent +
      printable(group.occurrence === 1 ? group.name : `${group.name} #${group.occurrence}`),
      outcome,
      formatCount(totals.functions),
      formatCount(totals.lines),
      formatCount(totals.points),
      testNotes(repeats, group.flaky.length, outcome).join(", "),
    ],
    failed: outcome !== "passed",
  };
}

/** Everything that makes a test's line less than the truth. */
function testNotes(
  repeats: readonly TestCoverage[],
  flaky: number,
  outcome: string,
): string[] {
  const sum = (count: (test: TestCoverage) => number): number =>
    repeats.reduce((total, test) => total + count(test), 0);
  const any = (flag: (record: TestCoverage["record"]) => boolean): boolean =>
    repeats.some(({ record }) => flag(record));
  const notes: string[] = [];
  if (repeats.length > 1) {
    const same = sum(({ record }) => record.outcome === outcome ? 1 : 0);
    notes.push(`${repeats.length} repeats`);
    if (same < repeats.length) notes.push(`${outcome} in ${same}`);
    if (flaky > 0) notes.push(plural(flaky, "flaky point"));
  }
  if (any(({ earlier }) => earlier === true)) notes.push("earlier run");
  if (any(({ truncated }) => truncated)) notes.push("truncated");
  if (any(({ shared }) => shared)) notes.push("shared");
  if (any(({ callingThreadOnly }) => callingThreadOnly)) notes.push("thread only");
  const refused = sum(({ record }) =>
    record.tree?.refused.reduce((tasks, entry) => tasks + entry.tasks, 0) ?? 0
  );
  if (refused > 0) notes.push(`${plural(refused, "task")} unrecorded`);
  // Its thread ended before it did, and the runner went on and said how it ended.
  if (any(({ outcome, tree }) => tree?.finished === false && outcome !== "unfinished")) {
    notes.push("unfinished");
  }
  const pending = sum(({ record }) => record.tree?.pending ?? 0);
  if (pending > 0) notes.push(`${formatCount(pending)} pending`);
  const dropped = sum(({ record }) => record.tree?.dropped ?? 0);
  if (dropped > 0) notes.push(`${formatCount(dropped)} without cause`);
  const unresolved = sum(({ points }) => unresolvedTotal(points.unresolved));
  if (unresolved > 0) notes.push(`${formatCount(unresolved)} unresolved`);
  return notes;
}

function columnWidths(rows: readonly Row[], available: number): number[] {
  const tests = rows.filter((row) => "cells" in row);
  const widths = HEADINGS.map((heading, i) =>
    columnWidth(heading.length, tests.map(({ cells }) => displayWidth(cells[i])))
  );
  const others = widths.slice(1).reduce((sum, width) => sum + width + GAP.length, 0);
  widths[0] = Math.min(widths[0], Math.max(MIN_NAME_WIDTH, available - others));
  return widths;
}

function alignedCells(
  cells: readonly string[],
  widths: readonly number[],
  { width }: TextStyle,
): string[] {
  // A file or a pipe gets long names whole, though they stand out of their column.
  const isTerminal = width !== Infinity;
  return cells.map((cell, i) => {
    const number = i >= 2 && i <= 4;
    const text = isTerminal ? fit(cell, widths[i]) : cell;
    return pad(text, widths[i], number ? "right" : "left");
  });
}

function layOut(cells: readonly string[], widths: readonly number[], style: TextStyle): string {
  return alignedCells(cells, widths, style).join(GAP).trimEnd();
}

function paintRow(
  cells: readonly string[],
  failed: boolean,
  widths: readonly number[],
  style: TextStyle,
): string {
  if (!style.color) return layOut(cells, widths, style);
  const aligned = alignedCells(cells, widths, style);
  aligned[1] = paint(aligned[1], failed ? "red" : "green", style);
  aligned[5] = paint(aligned[5].trimEnd(), "yellow", style);
  return aligned.join(GAP).trimEnd();
}

/**
 * The totals under the table. Each number names its denominator; what is lost, unknown or in doubt has a line of
 * its own.
 */
export function totalsText(coverage: RunCoverage, style: TextStyle = PLAIN_STYLE): string {
  const { totals, tests, universe } = coverage;
  const { counts } = universe;
  const groups = repeatGroups(coverage);
  const counted = (["failed", "unfinished"] as const).map((outcome) => {
    const count = groups.filter((group) =>
      group.tests.some((test) => tests[test].record.outcome === outcome)
    ).length;
    return count > 0 ? `, ${count} ${outcome}` : "";
  });
  const runs = groups.length === tests.length ? "" : ` in ${formatCount(tests.length)} runs`;
  const heading = `${plural(groups.length, "test")}${runs}${counted.join("")}`;
  const rows: [string, number, number, string][] = [
    ["functions", totals.functions, counts.functions, "functions with coverage points"],
    ["lines", totals.lines, counts.lines, "lines with coverage points"],
    [
      "points",
      totals.points,
      counts.points,
      coverage.modules.length > 0
        ? "coverage points in the images"
        : "coverage points in the image",
    ],
  ];
  const hitWidth = Math.max(...rows.map(([, hit]) => formatCount(hit).length));
  const foundWidth = Math.max(...rows.map(([, , found]) => formatCount(found).length));
  const lines = [paint(heading, "bold", style)];
  for (const [what, hit, found, denominator] of rows) {
    const partly = what === "lines" && totals.partialLines > 0
      ? `; ${formatCount(totals.partialLines)} partly`
      : "";
    const share = `${formatPercent(hit, found)}${partly}`;
    lines.push(
      `  ${pad(what, 9, "left")}  ${pad(formatCount(hit), hitWidth, "right")} of ` +
        `${pad(formatCount(found), foundWidth, "right")} ${denominator} (${share})`,
    );
  }
  const modules = coverage.modules.filter(({ missing }) => missing === undefined);
  if (modules.length > 0) lines.push(`  ${modulesText(modules)}`);
  const source = coverage.kernel?.source;
  if (source !== undefined) lines.push(printable(`  kernel     ${sourceText(source)}`));
  for (const warning of doubts(coverage)) lines.push(`  ${paint(warning, "yellow", style)}`);
  return `${lines.join("\n")}\n`;
}

function sourceText({ path, version, git }: RunSource): string {
  const parts = git === undefined ? [] : [
    ...git.branch === undefined ? [] : [`branch ${git.branch}`],
    `commit ${git.commit.slice(0, 12)}${git.dirty ? " with changes" : ""}`,
  ];
  return [`Linux ${version} of ${path}`, ...parts].join(", ");
}

/** The modules in the numbers, those of which most was hit first. */
function modulesText(modules: readonly ModuleCoverage[]): string {
  const hit = modules.filter((module) => module.hit > 0).sort((a, b) => b.hit - a.hit);
  const named = hit.slice(0, MODULES_NAMED).map((module) =>
    `${module.name} ${formatCount(module.hit)} of ${formatCount(module.points)} points`
  );
  const more = hit.length - named.length;
  if (more > 0) named.push(`${formatCount(more)} more`);
  const loaded = `modules    ${plural(modules.length, "module")} counted with the kernel`;
  return named.length === 0
    ? `${loaded}, none hit`
    : printable(`${loaded}; hit: ${named.join(", ")}`);
}

/** One sentence for each thing that the numbers leave out. */
export function doubts(coverage: RunCoverage): string[] {
  const { tests, universe: { counts, image } } = coverage;
  const flagged = (flag: "truncated" | "shared" | "callingThreadOnly"): number =>
    tests.filter(({ record }) => record[flag]).length;
  const earlier = tests.filter(({ record }) => record.earlier === true).length;
  const outside = formatCount(
    coverage.outside.filter((point) => coverage.pointTests[point] === 0).length,
  );
  const cut = coverage.cut.map((name) => JSON.stringify(printable(name)));
  const unknown = `${plural(counts.unknownFunctions, "function")} and ${
    plural(counts.unknownLines, "line")
  } with no other point are not counted`;
  return [
    ...unresolvedLines(coverage),
    ...modulesWithoutImage(coverage),
    ...some(flagged("truncated"), "test", "truncated: the buffer was full in #; PCs are missing"),
    ...some(flagged("shared"), "test", "shared: # ran while another was open; PCs may be its"),
    ...some(
      flagged("callingThreadOnly"),
      "asynchronous test",
      "thread only: # recorded on the calling thread alone",
    ),
    ...unrecordedLines(coverage),
    ...lateWorkLines(coverage),
    ...unfinishedLines(coverage),
    ...flakyLines(coverage),
    ...some(coverage.flakyLeftOut, "point", "left out: # hit in some repeats only"),
    ...[
      leftOutText(coverage.leftOut, coverage.selection),
      originsUnknownText(coverage),
    ].filter((text) => text !== undefined),
    ...some(coverage.baseline.length, "point", "baseline: # that an empty test hits too"),
    ...some(
      coverage.outside.length,
      "point",
      `outside tests: # hit while no test was open, ${outside} of them by no test: not in the totals`,
    ),
    ...cut.length === 0
      ? []
      : [`this run did not finish: what came after ${cut.join(", ")} is missing`],
    ...some(coverage.lost, "record", "lost: # could not be written"),
    ...some(coverage.damaged, "record", "damaged: # could not be read back"),
    ...some(coverage.otherKernel, "record", "left out: # of another kernel"),
    ...some(earlier, "test", "earlier: # recorded by earlier runs in this folder"),
    ...some(counts.unknownPoints, "tail call", `unknown: # cannot be seen by KCOV; ${unknown}`),
    ...some(
      counts.linesPastEnd,
      "line",
      "dropped: # past the end of the source file: the sources are of another build",
    ),
    ...some(image.problems.length, "part", `unread: # of the image: ${image.problems[0]}`),
  ].map(printable);
}

/** A sentence with the number of things in place of `#`; none where there are none. */
function some(count: number, noun: string, sentence: string): string[] {
  return count === 0 ? [] : [sentence.replace("#", plural(count, noun))];
}

function unresolvedLines({ unresolved }: RunCoverage): string[] {
  const reasons = (Object.keys(UNRESOLVED_TEXT) as UnresolvedReason[])
    .filter((reason) => unresolved[reason] > 0)
    .map((reason) => `  ${formatCount(unresolved[reason])} ${UNRESOLVED_TEXT[reason]}`);
  return [...some(unresolvedTotal(unresolved), "PC", "unresolved: #"), ...reasons];
}

function modulesWithoutImage({ modules }: RunCoverage): string[] {
  return modules.filter(({ missing }) => missing !== undefined).map(({ name, missing, lost }) => {
    const pcs = lost === 0 ? "" : ` (${plural(lost, "PC")})`;
    return `no image: module ${name}${pcs} is not counted: ${missing}`;
  });
}

function unrecordedLines({ tests }: RunCoverage): string[] {
  const refused = new Map<string, number>();
  for (const { reason, tasks } of tests.flatMap(({ record }) => record.tree?.refused ?? [])) {
    refused.set(reason, (refused.get(reason) ?? 0) + tasks);
  }
  return [...refused].map(([reason, tasks]) =>
    `unrecorded: ${plural(tasks, "thread or process", "threads or processes")}: ${reason}`
  );
}

/** What ran on the tests' behalf and is not in their records. */
function lateWorkLines({ tests }: RunCoverage): string[] {
  const sum = (count: (tree: TreeDetails) => number | undefined): number =>
    tests.reduce((total, { record }) => total + (record.tree && count(record.tree) || 0), 0);
  const shared = tests.filter(({ record }) => record.tree?.threadsShared === true).length;
  return [
    ...some(
      sum(({ pending }) => pending),
      "item",
      "pending: # still queued on tests' behalf when their records were read: what they run is missing",
    ),
    ...some(
      sum(({ dropped }) => dropped),
      "item",
      "no cause: # queued on tests' behalf could not be followed: what they ran is missing",
    ),
    ...some(
      shared,
      "test",
      "threads shared: # ran beside others; what other threads of the runtime ran counts as the runtime's",
    ),
  ];
}

function unfinishedLines({ tests }: RunCoverage): string[] {
  const unfinished = tests.filter(({ record }) => record.outcome === "unfinished");
  const lost =
    unfinished.filter(({ points }) =>
      points.points.length + unresolvedTotal(points.unresolved) === 0
    ).length;
  const what = lost === 0 ? "" : `; what ${whoseOf(lost, unfinished.length)} ran is lost`;
  return some(unfinished.length, "test", `unfinished: # began and did not end${what}`);
}

function whoseOf(some: number, all: number): string {
  if (some < all) return `${some} of them`;
  return all === 1 ? "it" : "they";
}

function flakyLines(coverage: RunCoverage): string[] {
  const unsteady = repeatGroups(coverage).filter(({ flaky }) => flaky.length > 0);
  const points = new Set(unsteady.flatMap(({ flaky }) => [...flaky])).size;
  return some(
    unsteady.length,
    "test",
    `flaky: ${
      plural(points, "point")
    } hit in some repeats only, of #: --steady leaves them out, show TEST --flaky lists them`,
  );
}

/** A file that was written, for the list at the end. */
export interface WrittenFile {
  readonly path: string;
  /** What it holds, in a few words. */
  readonly what: string;
}

/** The files that were written, one per line. */
export function writtenText(files: readonly WrittenFile[], style: TextStyle = PLAIN_STYLE): string {
  const width = columnWidth(0, files.map(({ path }) => displayWidth(printable(path))));
  return files.map(({ path, what }) =>
    `${pad(printable(path), width, "left")}${GAP}${paint(what, "dim", style)}\n`
  ).join("");
}
