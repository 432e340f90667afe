import type { CoverageDifference } from "../coverage/questions/compare_coverage.ts";
import type { MinimalSet } from "../coverage/questions/minimize_tests.ts";
import type { PatchAnswer } from "../coverage/patch/patch_tests.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { machineOf } from "../coverage/questions/test_origins.ts";
import type { UniqueCoverage } from "../coverage/questions/unique_coverage.ts";
import type { FilesAnswer } from "../coverage/questions/which_files.ts";
import type { FunctionAnswer, LineAnswer } from "../coverage/questions/which_tests.ts";
import { rangesByFile } from "./line_ranges.ts";
import { type OriginReference, originReference } from "./origins/origin_json.ts";

/** A test in a JSON answer. */
export interface TestReference {
  readonly name: string;
  readonly file: string;
  readonly runner?: string;
}

/** Name, file and runner of a test. */
export function testReference(coverage: RunCoverage, test: number): TestReference {
  const { name, file, runner } = coverage.tests[test].record;
  return runner === undefined ? { name, file } : { name, file, runner };
}

/** Which tests run a line, with names instead of numbers. */
export function lineAnswerJson(coverage: RunCoverage, answer: LineAnswer): unknown {
  return {
    ...answer,
    tests: answer.tests.map(({ test, origins, ...rest }) => ({
      ...testReference(coverage, test),
      ...rest,
      ...originReferences(coverage, origins),
    })),
  };
}

/** Which tests enter a function, or run a line of some files, with names instead of numbers. */
export function linesAnswerJson(
  coverage: RunCoverage,
  answer: FunctionAnswer | FilesAnswer,
): unknown {
  return {
    ...answer,
    tests: answer.tests.map(({ test, lines, origins }) => ({
      ...testReference(coverage, test),
      lines,
      ...originReferences(coverage, origins),
    })),
  };
}

/** The calls through which a test reaches a place, where they are known. */
function originReferences(
  coverage: RunCoverage,
  origins: readonly number[] | undefined,
): { readonly origins?: readonly OriginReference[] } {
  if (origins === undefined) return {};
  const machine = machineOf(coverage);
  return { origins: origins.map((origin) => originReference(machine, origin)) };
}

/** Which tests a patch needs, with names instead of numbers. */
export function patchAnswerJson(coverage: RunCoverage, answer: PatchAnswer): unknown {
  const reference = (test: number): TestReference => testReference(coverage, test);
  return {
    runAll: answer.runAll,
    tests: answer.tests.map(({ test, ...rest }) => ({ ...reference(test), ...rest })),
    incomplete: answer.incomplete.map(reference),
    ...(answer.leftOut === undefined ? {} : { leftOut: answer.leftOut }),
    hunks: answer.hunks.map(({ tests, ...rest }) => ({ ...rest, tests: tests.map(reference) })),
  };
}

/** What two sides do not cover alike. */
export function differenceJson(
  names: readonly [string, string],
  difference: CoverageDifference,
): unknown {
  return { a: names[0], b: names[1], ...difference };
}

/** A small set of tests with all points of the run, with names instead of numbers. */
export function minimalSetJson(coverage: RunCoverage, set: MinimalSet): unknown {
  return {
    points: set.points,
    kept: set.kept.map(({ test, ...rest }) => ({ ...testReference(coverage, test), ...rest })),
    redundant: set.redundant.map((test) => testReference(coverage, test)),
  };
}

/** What each test alone covers, with names instead of numbers and lines as ranges by file. */
export function uniqueJson(coverage: RunCoverage, unique: readonly UniqueCoverage[]): unknown {
  return unique.map(({ test, points, lines }) => ({
    ...testReference(coverage, test),
    points,
    lines: lines.length,
    files: rangesByFile(coverage.universe, lines),
  }));
}
