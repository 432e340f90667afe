import { existsSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ProgressLine } from "../build/build_progress.ts";
import { parsePatch } from "../coverage/patch/patch.ts";
import { dataFileStart, writeHtmlReport } from "../report/html/write_html_report.ts";
import type { BuildTotals } from "../report/html/report_data.ts";
import { formatCount } from "../report/text_style.ts";
import type { WrittenFile } from "../report/text_table.ts";
import { plainFolder } from "../sys/plain_folder.ts";
import { startOf } from "../run/own_reports.ts";
import { comparedTests } from "../run/compared_tests.ts";
import type { LoadedRun } from "../run/load_run.ts";
import { removeLeftParts, writeWhole } from "../sys/written_files.ts";
import { readPatch } from "./read_patch.ts";
import type { SignalHold } from "./signal_hold.ts";
import { UsageError } from "./command_line.ts";

/** Work that takes longer than this shows how far it is. */
const SHOW_AFTER_MS = 1000;
/** Bytes of a page's start in which it names its script. */
const PAGE_START = 4096;

/**
 * Checks that a folder is free for an HTML report, or has one.
 *
 * @throws {UsageError} Where it has a first page that is no report's.
 */
export function checkHtmlFolder(directory: string): void {
  const page = join(directory, "index.html");
  if (!existsSync(page)) return;
  if (startOf(page, PAGE_START)?.includes('src="kernelcov.js"')) return;
  throw new UsageError(`${page} is not a report of kernelcov: give --html another folder`);
}

/** Writes the HTML report of a run, and removes further files of an earlier report in the folder. */
export async function writeHtmlFolder(
  loaded: LoadedRun,
  directory: string,
  patchPath: string | undefined,
  hold: SignalHold,
  earlier: readonly BuildTotals[] = [],
): Promise<WrittenFile> {
  checkHtmlFolder(directory);
  const { coverage, sources, compared: records, imagePath } = loaded;
  // Lines of comparisons are in the image alone.
  const compared = records.length === 0 || imagePath === undefined
    ? undefined
    : comparedTests(loaded, records).places;
  const patch = patchPath === undefined ? {} : { patch: parsePatch(readPatch(patchPath)) };
  const input = {
    coverage,
    compared,
    readSource: (file: string) => sources.read(file),
    earlier,
    ...patch,
  };
  const expected = coverage.universe.counts.files + 8;
  plainFolder(join(directory, "data"), { make: true });
  for (const folder of [directory, join(directory, "data")]) removeLeftParts(folder);
  const start = performance.now();
  using progress = new ProgressLine(process.stderr);
  const written = new Set<string>();
  for await (const { path, text } of writeHtmlReport(input)) {
    const target = join(directory, path);
    const key = /^data\/(\w+)\.js$/.exec(path)?.[1];
    if (key !== undefined && existsSync(target) && !isData(target, key)) {
      throw new UsageError(`${target} is not a report of kernelcov: give --html another folder`);
    }
    writeWhole(target, [text]);
    written.add(path);
    const elapsed = performance.now() - start;
    if (process.stderr.isTTY && elapsed > SHOW_AFTER_MS) {
      const counts = `${formatCount(written.size)} of ${formatCount(expected)}`;
      progress.update(`HTML pages: ${counts}, ${Math.round(elapsed / 1000)} s`, elapsed);
    }
    await hold.pass();
  }
  removeOldData(directory, written);
  return { path: join(directory, "index.html"), what: "pages to open in a browser" };
}

/** Removes data files of a report that are not among `written`, and nothing else: each says in its text what it is. */
function removeOldData(directory: string, written: ReadonlySet<string>): void {
  for (const entry of readdirSync(join(directory, "data"), { withFileTypes: true })) {
    const key = /^(\w+)\.js$/.exec(entry.name)?.[1];
    if (key === undefined || !entry.isFile() || written.has(`data/${entry.name}`)) continue;
    const path = join(directory, "data", entry.name);
    if (isData(path, key)) unlinkSync(path);
  }
}

function isData(path: string, key: string): boolean {
  const start = dataFileStart(key);
  return startOf(path, start.length) === start;
}
