import { type RepeatGroup, repeatGroups } from "../test_repeats.ts";
import type { RunCoverage } from "../run_coverage.ts";

/**
 * The tests that `text` can mean, repeats together: those of that full name, or of `file: name`, with the runner in
 * brackets behind it or without; else those whose name has `text` in it.
 */
export function findTests(coverage: RunCoverage, text: string): RepeatGroup[] {
  const groups = repeatGroups(coverage);
  const exact = groups.filter(({ name, file, occurrence, tests }) => {
    const { runner } = coverage.tests[tests[0]].record;
    // As reports show it: the second of a name in a file has its number behind it.
    const own = occurrence === 1 ? name : `${name} #${occurrence}`;
    return [own, `${file}: ${own}`].some((full) => full === text || `${full} (${runner})` === text);
  });
  return exact.length > 0 ? exact : groups.filter(({ name }) => name.includes(text));
}
