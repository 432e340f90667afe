import { dirname } from "node:path";
import { loadRun, writeLcovFiles } from "./run_coverage_files.ts";

/**
 * Writes the reports of a run folder: `coverage/kernel/lcov.info` and what belongs to it. Called when the tests of a
 * file end, and again where another thread wrote records meanwhile, so each file is written under another name and
 * renamed. Synchronous, because a runner's last event does not wait.
 *
 * @param runDirectory The run folder; the reports go to the folder that holds it.
 */
export function writeRunReport(runDirectory: string): void {
  writeLcovFiles(loadRun(runDirectory), dirname(runDirectory));
}
