import { RUNNERS } from "../../../src/runners/all_runners.ts";
import { filterArguments } from "../../../src/runners/runner_filter.ts";
import type { ReportedTest } from "./run_report.ts";
import type { Settings } from "./settings.ts";

/** Whether it is known what runs a test. */
export function canRun({ runner }: ReportedTest): boolean {
  return RUNNERS.some(({ name }) => name === runner);
}

/** The command lines of kernelcov that run these tests again, one for each runner. */
export function commandsFor(
  { run, testOptions, runnerOptions }: Settings,
  tests: readonly ReportedTest[],
): string[][] {
  return RUNNERS.flatMap((runner) => {
    const own = tests.filter((test) => test.runner === runner.name);
    if (own.length === 0) return [];
    const command = [
      runner.name,
      "test",
      ...runnerOptions[runner.name] ?? [],
      ...filterArguments(runner, own),
    ];
    return [["test", `--out=${run}`, ...testOptions, "--", ...command]];
  });
}
