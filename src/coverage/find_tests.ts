import { type RepeatGroup, repeatGroups } from "./test_repeats.ts";
import type { RunCoverage } from "./run_coverage.ts";

/**
 * The tests that `text` can mean, repeats together: those of that full name, or of `file: name`; else those whose
 * name has `text` in it.
 */
export function findTests(coverage: RunCoverage, text: string): RepeatGroup[] {
  const groups = repeatGroups(coverage);
  const exact = groups.filter(({ name, file }) => name === text || `${file}: ${name}` === text);
  return exact.length > 0 ? exact : groups.filter(({ name }) => name.includes(text));
}
