import { groupNames } from "../../coverage/questions/find_source.ts";
import { unresolvedTotal } from "../../coverage/point_hits.ts";
import { repeatIndex } from "../../coverage/repeat_index.ts";
import type { RunCoverage, TestCoverage } from "../../coverage/run_coverage.ts";
import { fileTotals } from "../file_totals.ts";
import { testTitle } from "../test_label.ts";
import { plural } from "../text_style.ts";
import { doubts } from "../text_table.ts";
import type { BuildTotals, FileColumns, IndexData, RunData, TestColumns } from "./report_data.ts";
import type { ReportFiles } from "./report_files.ts";
import { encodeSet } from "./set_codec.ts";
import type { TestFacts } from "./test_data.ts";

/** The tables of the first page. */
export function runData(
  coverage: RunCoverage,
  files: ReportFiles,
  facts: TestFacts,
  rest: {
    readonly title: string;
    readonly hasPatch: boolean;
    readonly notes: readonly string[];
    readonly earlier: readonly BuildTotals[];
  },
): RunData {
  const { universe, kernel, totals } = coverage;
  const { counts, image } = universe;
  return {
    title: rest.title,
    release: kernel?.release ?? "",
    machine: kernel?.machine ?? image.machine,
    buildId: image.buildId,
    functions: { hit: totals.functions, all: counts.functions },
    lines: { hit: totals.lines, all: counts.lines },
    points: { hit: totals.points, all: counts.points },
    partialLines: totals.partialLines,
    notes: [...doubts(coverage), ...rest.notes],
    files: fileColumns(coverage, facts),
    directories: { path: files.directories, tests: [...facts.directoryTests] },
    tests: testColumns(coverage, facts),
    hasPatch: rest.hasPatch,
    ...rest.earlier.length === 0
      ? {}
      : { builds: [...rest.earlier, buildTotals("this report", coverage)] },
  };
}

/** What the tests of a build covered. */
export function buildTotals(name: string, coverage: RunCoverage): BuildTotals {
  const { totals, universe: { counts, image } } = coverage;
  return {
    name,
    buildId: image.buildId,
    tests: repeatIndex(coverage).tests,
    functions: { hit: totals.functions, all: counts.functions },
    lines: { hit: totals.lines, all: counts.lines },
  };
}

function fileColumns(coverage: RunCoverage, facts: TestFacts): FileColumns {
  const totals = fileTotals(coverage).sort((a, b) => a.file - b.file);
  return {
    path: totals.map(({ path }) => path),
    lines: totals.map(({ lines }) => lines),
    linesHit: totals.map(({ linesHit }) => linesHit),
    functions: totals.map(({ functions }) => functions),
    functionsHit: totals.map(({ functionsHit }) => functionsHit),
    tests: [...facts.fileTests],
  };
}

function testColumns(coverage: RunCoverage, facts: TestFacts): TestColumns {
  const { tests } = coverage;
  const testFiles = [...new Set(tests.map(({ record }) => record.file))];
  const fileId = new Map(testFiles.map((file, id) => [file, id]));
  return {
    name: tests.map((_, test) => testTitle(coverage, test)),
    file: tests.map(({ record }) => fileId.get(record.file)!),
    testFiles,
    failed: tests.map(({ record }) => record.outcome === "passed" ? 0 : 1),
    kind: tests.map(({ record }) => record.kind ?? "test"),
    milliseconds: tests.map(({ record }) => Math.round(record.durationMs * 100) / 100),
    functions: tests.map(({ totals }) => totals.functions),
    lines: tests.map(({ totals }) => totals.lines),
    points: tests.map(({ totals }) => totals.points),
    ownLines: facts.ownLines,
    doubts: tests.map(doubtsOf),
    ...tests.some(({ origins }) => origins !== undefined)
      ? { calls: tests.map(({ origins }) => origins === undefined ? 0 : 1) }
      : {},
    chunk: facts.chunk,
  };
}

/** What makes a test's numbers less than the truth. */
function doubtsOf({ record, points }: TestCoverage): string {
  const unresolved = unresolvedTotal(points.unresolved);
  const refused = (record.tree?.refused ?? []).reduce((sum, { tasks }) => sum + tasks, 0);
  const { pending = 0, dropped = 0 } = record.tree ?? {};
  return [
    record.earlier === true ? "earlier run" : "",
    record.truncated ? "truncated" : "",
    record.shared ? "shared" : "",
    record.callingThreadOnly ? "thread only" : "",
    record.outcome === "unfinished" ? "unfinished" : "",
    refused > 0 ? `${plural(refused, "task")} unrecorded` : "",
    pending > 0 ? `${plural(pending, "item")} pending` : "",
    dropped > 0 ? `${plural(dropped, "item")} without cause` : "",
    unresolved > 0 ? `${plural(unresolved, "PC")} unresolved` : "",
  ].filter((doubt) => doubt !== "").join(", ");
}

/** What turns line ids into files, functions and numbers. */
export function indexData(
  coverage: RunCoverage,
  files: ReportFiles,
  facts: TestFacts,
): IndexData {
  const { functions, image, linePoints, fileLineStart } = coverage.universe;
  const numbers: string[] = [];
  for (const file of files.imageFile) {
    const own: number[] = [];
    for (let line = fileLineStart[file]; line < fileLineStart[file + 1]; line++) {
      if (linePoints[line] !== 0) own.push(image.lineNumber[line]);
    }
    numbers.push(encodeSet(own));
  }
  return {
    fileLine: [...files.fileLine],
    numbers,
    groupLine: encodeSet(functions.groupLine.map((line) => files.lineOf[line])),
    names: Array.from(
      functions.groupLine,
      (_, group) => groupNames(coverage.universe, group).join(", "),
    ),
    groupTests: [...facts.groupTests],
  };
}
