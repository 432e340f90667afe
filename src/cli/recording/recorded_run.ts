import process from "node:process";
import { currentRun, readRecordFiles } from "../../record/read_run.ts";
import type { RunLock } from "../../record/run_lock.ts";
import { settleRun } from "../../record/settle_run.ts";
import type { Run } from "../../record/test_record.ts";

/** Option of commands that record. */
export const FRESH_OPTION = { fresh: { type: "boolean" } } as const;

/** Help for {@linkcode FRESH_OPTION}. */
export const FRESH_HELP =
  `    --fresh                       drop what earlier runs recorded; without it a run replaces the tests that it ran
`;

/**
 * What the folder that a command has locked holds now that its own run has ended: the run, and the tests of earlier
 * runs that it did not run. `undefined` where it recorded nothing: then the folder is as it was before.
 */
export function recordedRun(
  { directory, run }: RunLock,
  options: { readonly fresh?: boolean | undefined },
): Run | undefined {
  const files = readRecordFiles(directory);
  if (!files.some(({ header, records }) => header?.run === run && records.length > 0)) {
    return undefined;
  }
  const settled = settleRun(directory, files, { fresh: options.fresh === true });
  for (const folder of settled.movedTo) {
    process.stderr.write(
      `kernelcov: Earlier records, of another kernel or another version, are in ${folder} now\n`,
    );
  }
  return currentRun(directory, settled.files);
}
