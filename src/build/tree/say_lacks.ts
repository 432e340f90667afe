import type { ProgressLine } from "../build_progress.ts";
import type { PatchedTree } from "./patch_mirror.ts";

/** What a kernel without kernelcov's patches lacks, wherever it runs. */
export const UNPATCHED_LACKS =
  "each point is stored once for each time it runs, so long tests are truncated; programs can see that they are traced; " +
  "origins are not known";

/**
 * Says what a kernel lacks.
 *
 * @param unpatched What it lacks as none of kernelcov's patches are wanted; `undefined` where they are.
 */
export function sayLacks(
  progress: ProgressLine,
  { leftOut }: PatchedTree,
  unpatched: string | undefined,
): void {
  if (unpatched !== undefined) progress.say(`Without kernelcov's patches: ${unpatched}`);
  for (const { name, lack } of leftOut) {
    progress.say(`${name}.patch does not fit and is left out: ${lack}`);
  }
}
