import { jsonHead, testJson } from "../../report/json_report.ts";
import { loadRun } from "../../run/load_run.ts";

/** A run's kernel, totals and losses, and its tests without their lines and calls, as the JSON report has them. */
export function runSummary(run: string): Record<string, unknown> {
  const { coverage } = loadRun(run);
  const tests = coverage.tests.map((_, test) => {
    const { origins: _calls, ...rest } = testJson(coverage, test);
    return rest;
  });
  return { ...jsonHead(coverage), tests };
}
