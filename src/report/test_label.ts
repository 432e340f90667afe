import { repeatIndex } from "../coverage/repeat_index.ts";
import type { RunCoverage } from "../coverage/run_coverage.ts";
import { printable } from "./text_style.ts";

/** Of runs that were labelled: whether their tests are of several runners. */
const mixed = new WeakMap<RunCoverage, boolean>();

/** File and name of a test, as every answer prints it, and its runner where the run has tests of several. */
export function testLabel(coverage: RunCoverage, test: number): string {
  const { file } = coverage.tests[test].record;
  const title = testTitle(coverage, test);
  return printable(file === "" ? title : `${file}: ${title}`);
}

/** Name of a test, with its number where its file has several of that name, and its runner where the run has tests of several. */
export function testTitle(coverage: RunCoverage, test: number): string {
  const { name, runner } = coverage.tests[test].record;
  const occurrence = repeatIndex(coverage).occurrence[test];
  const own = occurrence === 1 ? name : `${name} #${occurrence}`;
  return runner !== undefined && hasSeveralRunners(coverage) ? `${own} (${runner})` : own;
}

function hasSeveralRunners(coverage: RunCoverage): boolean {
  let several = mixed.get(coverage);
  if (several === undefined) {
    const { runners } = coverage.hits.columns ??
      { runners: new Set(coverage.tests.map(({ record }) => record.runner)).size };
    several = runners > 1;
    mixed.set(coverage, several);
  }
  return several;
}
