import { basename, dirname } from "node:path";
import { currentRun, readRecordFiles } from "../record/read_run.ts";
import { runLockHolder } from "../record/run_lock.ts";
import { noteReports } from "../record/run_reports.ts";
import { settleRun } from "../record/settle_run.ts";
import { loadRun, writeLcovFiles } from "./run_coverage_files.ts";
import { say, sayOncePerRun } from "../record/say_once.ts";

/**
 * Writes the reports of a run folder: `coverage/kernel/lcov.info` and what belongs to it. Called when the tests of a
 * file end, and again where another thread wrote records meanwhile, so each file is written under another name and
 * renamed. Synchronous, because a runner's last event does not wait.
 *
 * @param runDirectory The run folder; the reports go to the folder that holds it.
 */
export function writeRunReport(runDirectory: string): void {
  const holder = runLockHolder(runDirectory);
  if (holder !== undefined) {
    sayOncePerRun(`no report: process ${holder} records into ${runDirectory} too, and reports all`);
    return;
  }
  const { files, movedTo } = settleRun(runDirectory, readRecordFiles(runDirectory));
  for (const folder of movedTo) {
    say(`Earlier records, of another kernel or another version, are in ${folder} now`);
  }
  const written = writeLcovFiles(loadRun(currentRun(runDirectory, files)), dirname(runDirectory));
  noteReports(runDirectory, written.map(({ path }) => basename(path)));
}
