import type { RunCoverage } from "../coverage/run_coverage.ts";
import { originContext } from "../coverage/questions/test_origins.ts";
import { fileTotals, groupHit } from "./file_totals.ts";
import { rangesByFile } from "./line_ranges.ts";
import { originCounts } from "./origins/origin_json.ts";
import { type PathMode, sourcePath } from "./source_path.ts";

/** Version of the JSON report; raised when a reader of the last one would be misled. */
const FORMAT_VERSION = 1;

/**
 * The run as JSON: kernel, totals with their denominators, what is missing, tests with the lines that each hit and the
 * numbers of what each call ran, and files with their lines and functions. Yields text in parts; line columns are parallel arrays.
 */
export function* jsonReport(
  coverage: RunCoverage,
  options: { paths?: PathMode } = {},
): Generator<string> {
  const paths = options.paths ?? "relative";
  yield `${JSON.stringify(jsonHead(coverage)).slice(0, -1)},\n"tests": [`;
  for (let test = 0; test < coverage.tests.length; test++) {
    yield `${test === 0 ? "\n" : ",\n"}${testText(coverage, test, paths)}`;
  }
  yield `\n],\n"files": [`;
  let first = true;
  for (const { file, path, ...counts } of fileTotals(coverage)) {
    yield `${first ? "\n" : ",\n"}${
      JSON.stringify({ path: sourcePath(path, paths), ...counts, ...fileColumns(coverage, file) })
    }`;
    first = false;
  }
  yield "\n]}\n";
}

/** What the JSON report says of the run as a whole: kernel, totals with their denominators, and what is missing. */
export function jsonHead(coverage: RunCoverage): Record<string, unknown> {
  const { universe, totals, unresolved, kernel, damaged } = coverage;
  return {
    format: "kernelcov",
    version: FORMAT_VERSION,
    kernel: { ...kernel, imageBuildId: universe.image.buildId },
    universe: universe.counts,
    totals,
    modules: coverage.modules,
    unresolved,
    damagedRecords: damaged,
    lostRecords: coverage.lost,
    cutAfter: coverage.cut,
    otherKernelRecords: coverage.otherKernel,
    baselinePoints: coverage.baseline.length,
    outsidePoints: coverage.outside.length,
    ...coverage.tests.some(({ origins }) => origins !== undefined)
      ? {
        counted: { classes: coverage.selection.classes, calls: coverage.selection.calls },
        leftOut: coverage.leftOut,
        testsWithoutOrigins: coverage.originsUnknown,
      }
      : {},
    imageProblems: universe.image.problems,
  };
}

function testText(coverage: RunCoverage, test: number, paths: PathMode): string {
  return JSON.stringify({
    ...testJson(coverage, test),
    files: rangesByFile(coverage.universe, coverage.linesOf(test).lines, paths),
  });
}

/** What the JSON report says of a test, without its lines. */
export function testJson(coverage: RunCoverage, test: number): Record<string, unknown> {
  const { record, totals, points, leftOut, origins } = coverage.tests[test];
  const { name, file, runner, outcome, durationMs, scope } = record;
  const { truncated, shared, callingThreadOnly } = record;
  return {
    name,
    file,
    ...(runner === undefined ? {} : { runner }),
    kind: record.kind ?? "test",
    outcome,
    durationMs,
    scope,
    truncated,
    shared,
    callingThreadOnly,
    ...(record.earlier === true ? { earlier: true } : {}),
    ...(record.tree === undefined ? {} : { tree: record.tree }),
    totals,
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(origins === undefined
      ? {}
      : { origins: originCounts(coverage, origins, originContext(coverage, [test])) }),
    unresolved: points.unresolved,
  };
}

function fileColumns(coverage: RunCoverage, file: number): Record<string, unknown> {
  const { universe, lineCount, lineTests, linePointsHit } = coverage;
  const { image, linePoints, fileLineStart, functions } = universe;
  const columns = {
    line: [] as number[],
    count: [] as number[],
    tests: [] as number[],
    points: [] as number[],
    pointsHit: [] as number[],
  };
  for (let line = fileLineStart[file]; line < fileLineStart[file + 1]; line++) {
    if (linePoints[line] === 0) continue;
    columns.line.push(image.lineNumber[line]);
    columns.count.push(lineCount[line]);
    columns.tests.push(lineTests[line]);
    columns.points.push(linePoints[line]);
    columns.pointsHit.push(linePointsHit[line]);
  }
  const table: { name: string; line: number; lastLine: number; hit: boolean }[] = [];
  const lastGroup = functions.fileGroupStart[file + 1];
  for (let group = functions.fileGroupStart[file]; group < lastGroup; group++) {
    const hit = groupHit(coverage, group);
    for (let f = functions.groupStart[group]; f < functions.groupStart[group + 1]; f++) {
      table.push({
        name: functions.name[f],
        line: image.lineNumber[functions.groupLine[group]],
        lastLine: functions.groupLastNumber[group],
        hit,
      });
    }
  }
  return { lineColumns: columns, functionTable: table };
}
