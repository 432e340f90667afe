import { basename, dirname, join } from "node:path";
import { currentRun, readRecordFiles } from "../record/read_run.ts";
import { runLockHolder } from "../record/run_lock.ts";
import { noteReports } from "../record/run_reports.ts";
import { settleRun } from "../record/settle_run.ts";
import { say, sayOncePerRun } from "../record/say_once.ts";
import {
  lcovAggregate,
  type LcovOptions,
  lcovPerTest,
  MAX_TESTS_PER_FILE,
} from "../report/lcov.ts";
import { lcovDescriptions, lcovNameMap } from "../report/lcov_test_names.ts";
import type { WrittenFile } from "../report/text_table.ts";
import { writeWhole } from "../sys/written_files.ts";
import { type LoadedRun, loadRun } from "./load_run.ts";
import { removeTestReports } from "./own_reports.ts";

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

/**
 * The LCOV files of a run: the whole, the tests' names, and each test where they are few enough for one file. Files of
 * an earlier run are replaced.
 */
export function writeLcovFiles(
  { coverage, paths }: LoadedRun,
  directory: string,
  options: Omit<LcovOptions, "paths"> = {},
): WrittenFile[] {
  const lcov: LcovOptions = { ...options, paths };
  const tests = coverage.tests.map(({ record }) => record);
  const written: WrittenFile[] = [];
  function write(name: string, what: string, parts: Iterable<string>): void {
    const path = join(directory, name);
    writeWhole(path, parts);
    written.push({ path, what });
  }
  // First: with it beside them the other files are known as a report's.
  write("tests.json", "the tests' names and files", [lcovNameMap(tests)]);
  write("lcov.info", "all tests together, every line of the kernel", lcovAggregate(coverage, lcov));
  const kept: string[] = [];
  if (tests.length <= MAX_TESTS_PER_FILE) {
    write("tests.info", "each test, for genhtml --show-details", lcovPerTest(coverage, lcov));
    write("tests.desc", "the tests' names, for genhtml --description-file", [
      lcovDescriptions(tests),
    ]);
    kept.push("tests.info", "tests.desc");
  }
  removeTestReports(directory, kept);
  const [names, ...others] = written;
  return [...others, names!];
}
