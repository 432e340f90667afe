import { parsePatch } from "../coverage/patch/patch.ts";
import { checkThresholds, parseThreshold, type Threshold } from "../coverage/thresholds.ts";
import { cobertura } from "../report/cobertura.ts";
import { coverageTree, fileTable } from "../report/coverage_tables.ts";
import { jsonReport } from "../report/json_report.ts";
import { lcovAggregate, lcovFileRanges, type LcovOptions, lcovPerTest } from "../report/lcov.ts";
import { syzkallerJsonLines, syzkallerPrograms, syzkallerRawCover } from "../report/syzkaller.ts";
import { teamscaleReport } from "../report/teamscale.ts";
import { formatCount, type TextStyle } from "../report/text_style.ts";
import type { WrittenFile } from "../report/text_table.ts";
import type { LoadedRun } from "../run/load_run.ts";
import { partName, partsBehind, STANDARD_OUTPUT, writeOutput } from "./output_file.ts";
import { readPatch } from "./read_patch.ts";
import type { SignalHold } from "./signal_hold.ts";
import { earlierBuilds } from "./stores/earlier_builds.ts";
import { checkHtmlFolder, writeHtmlFolder } from "./write_html_folder.ts";
import { EXIT_BELOW_THRESHOLD, type OptionValues, UsageError, warn } from "./command_line.ts";

/** Options that choose what a report consists of. */
export const OUTPUT_OPTIONS = {
  lcov: { type: "string" },
  "lcov-tests": { type: "string" },
  "lcov-dialect": { type: "string" },
  count: { type: "string" },
  partial: { type: "string" },
  html: { type: "string" },
  patch: { type: "string" },
  earlier: { type: "string", multiple: true },
  json: { type: "string" },
  cobertura: { type: "string" },
  teamscale: { type: "string" },
  syzkaller: { type: "string" },
  "syzkaller-jsonl": { type: "string" },
  "syzkaller-programs": { type: "string" },
  text: { type: "boolean" },
  tree: { type: "boolean" },
  all: { type: "boolean" },
  only: { type: "string", multiple: true },
  "min-lines": { type: "string", multiple: true },
} as const;

/** Those of {@linkcode OUTPUT_OPTIONS} that name a file. */
const FILE_OPTIONS = [
  "lcov",
  "lcov-tests",
  "json",
  "cobertura",
  "teamscale",
  "syzkaller",
  "syzkaller-jsonl",
  "syzkaller-programs",
] as const;

/** Help for {@linkcode OUTPUT_OPTIONS}. */
export const OUTPUT_HELP =
  `    --lcov FILE     all tests together. Here and below, a name that ends with .gz is compressed, and - stands for
                    standard output, which then has no table
    --lcov-tests FILE   each test by itself, 300 tests a file
    --lcov-dialect 1|2  2: functions with their last line, as lcov 2.2 writes them; older readers find no functions
    --count hits|tests  what a line's count means: how often it ran, or how many tests ran it, each repeat counted
    --partial none|brda brda: a line that ran in part gets two branches, one taken
    --html DIR      pages for a browser: open DIR/index.html; --patch FILE adds a page for a kernel patch,
                    --earlier RUN a chart with a run or store of an earlier build; may be repeated, oldest first
    --json FILE     everything as JSON
    --cobertura FILE    for GitLab and others, in parts below 10 MiB
    --teamscale FILE    testwise coverage
    --syzkaller FILE    raw PCs; --syzkaller-jsonl FILE all points, --syzkaller-programs FILE each test
    --text          a table of files with uncovered lines; --tree: a tree of folders; --all: also what no test reached
    --only PATH     only this folder or file in the table or tree; may be repeated
    --min-lines [PATH=]PERCENT  exit status ${EXIT_BELOW_THRESHOLD} where fewer lines are covered; may be repeated
`;

/** Values of {@linkcode OUTPUT_OPTIONS}. */
export type OutputValues = OptionValues<typeof OUTPUT_OPTIONS>;

/** How LCOV is to be written. Wrong values are a {@linkcode UsageError}. */
export function lcovOptionsOf(values: OutputValues): Omit<LcovOptions, "paths"> {
  const dialect = oneOf("--lcov-dialect", values["lcov-dialect"] ?? "1", ["1", "2"]);
  return {
    dialect: dialect === "2" ? 2 : 1,
    count: oneOf("--count", values.count ?? "hits", ["hits", "tests"]),
    partial: oneOf("--partial", values.partial ?? "none", ["none", "brda"]),
  };
}

function oneOf<const T extends string>(
  option: string,
  value: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new UsageError(`Unknown ${option} "${value}": use ${allowed.join(" or ")}`);
  }
  return found;
}

/** Throws a {@linkcode UsageError} for invalid values, before any work is done. */
export function checkOutputs(values: OutputValues): void {
  lcovOptionsOf(values);
  thresholdsOf(values);
  if (values.patch !== undefined) {
    if (values.html === undefined) {
      throw new UsageError("--patch adds a page to the HTML report: give --html too");
    }
    parsePatch(readPatch(values.patch));
  }
  if (values.earlier !== undefined && values.html === undefined) {
    throw new UsageError("--earlier is for the HTML report: give --html too");
  }
  if (values.html !== undefined) checkHtmlFolder(values.html);
  if (FILE_OPTIONS.filter((name) => values[name] === STANDARD_OUTPUT).length > 1) {
    throw new UsageError("Only one report can go to standard output: name a file for the others");
  }
  const inParts = (["lcov-tests", "cobertura"] as const).find((name) =>
    values[name] === STANDARD_OUTPUT
  );
  if (inParts !== undefined) throw new UsageError(`--${inParts} writes several files: name a file`);
}

/** Whether a report goes to standard output, which then has nothing else. */
export function usesStandardOutput(values: OutputValues): boolean {
  return FILE_OPTIONS.some((name) => values[name] === STANDARD_OUTPUT);
}

function thresholdsOf(values: OutputValues): Threshold[] {
  return (values["min-lines"] ?? []).map((text) => {
    const threshold = parseThreshold(text);
    if (threshold === undefined) {
      throw new UsageError(`--min-lines ${text} is not a percentage, or a path, = and one`);
    }
    return threshold;
  });
}

/** Writes the files that the options name. */
export async function writeOutputs(
  loaded: LoadedRun,
  values: OutputValues,
  hold: SignalHold,
): Promise<WrittenFile[]> {
  const { coverage, paths } = loaded;
  const lcov: LcovOptions = { ...lcovOptionsOf(values), paths };
  const written: WrittenFile[] = [];
  async function write(
    path: string | undefined,
    what: string,
    parts: () => Iterable<string>,
  ): Promise<void> {
    if (path === undefined) return;
    await writeOutput(path, parts());
    written.push({ path, what });
    await hold.pass();
  }
  await write(values.lcov, "all tests together", () => lcovAggregate(coverage, lcov));
  if (values["lcov-tests"] !== undefined) {
    const ranges = lcovFileRanges(coverage.tests.length);
    for (const [i, { from, to }] of ranges.entries()) {
      const name = partName(values["lcov-tests"], i + 1);
      await write(name, `tests ${from + 1} to ${to}`, () => lcovPerTest(coverage, lcov, from, to));
    }
    warnOfPartsBehind(values["lcov-tests"], ranges.length);
  }
  await write(values.json, "everything as JSON", () => jsonReport(coverage, { paths }));
  if (values.cobertura !== undefined) {
    let part = 0;
    for (const text of cobertura(coverage, { paths, timestamp: Date.now() })) {
      await write(partName(values.cobertura, ++part), "Cobertura", () => [text]);
    }
    warnOfPartsBehind(values.cobertura, part);
  }
  await write(values.teamscale, "testwise coverage", () => teamscaleReport(coverage, { paths }));
  await write(values.syzkaller, "raw PCs", () => syzkallerRawCover(coverage));
  const points = values["syzkaller-jsonl"], programs = values["syzkaller-programs"];
  await write(points, "all points", () => syzkallerJsonLines(coverage, { paths }));
  await write(programs, "each test", () => syzkallerPrograms(coverage, { paths }));
  if (values.html !== undefined) {
    const earlier = await earlierBuilds(values.earlier ?? []);
    written.push(await writeHtmlFolder(loaded, values.html, values.patch, hold, earlier));
  }
  return written;
}

/** A file in a folder of the user's is not ours to remove, whatever its name. */
function warnOfPartsBehind(path: string, last: number): void {
  for (const behind of partsBehind(path, last)) {
    warn(`${behind} is not part of this report: remove it`);
  }
}

/** The tables that the options name; empty for none. */
export function outputTables(
  { coverage }: LoadedRun,
  values: OutputValues,
  style: TextStyle,
): string {
  const options = {
    all: values.all === true,
    ...(values.only === undefined ? {} : { only: values.only }),
  };
  return [
    ...(values.text ? [fileTable(coverage, options, style)] : []),
    ...(values.tree ? [coverageTree(coverage, options, style)] : []),
  ].join("\n");
}

/** Checks a run against `--min-lines`, prints what is below on standard error, and returns the exit status. */
export function thresholdStatus({ coverage }: LoadedRun, values: OutputValues): number {
  const short = checkThresholds(coverage, thresholdsOf(values)).filter(({ met }) => !met);
  for (const { path, percent, lines, linesHit } of short) {
    const where = path === "" ? "All files" : path;
    const found = lines === 0
      ? "no lines with coverage points"
      : `${formatCount(linesHit)} of ${formatCount(lines)} lines covered (${
        ((100 * linesHit) / lines).toFixed(2)
      } %)`;
    warn(`${where}: ${found}, below --min-lines ${percent}`);
  }
  return short.length === 0 ? 0 : EXIT_BELOW_THRESHOLD;
}
