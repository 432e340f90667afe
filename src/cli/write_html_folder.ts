import { Buffer } from "node:buffer";
import { closeSync, openSync, readdirSync, readFileSync, readSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { parsePatch } from "../coverage/patch.ts";
import { dataFileStart, writeHtmlReport } from "../report/html/write_html_report.ts";
import type { WrittenFile } from "../report/text_table.ts";
import type { LoadedRun } from "../testing/run_coverage_files.ts";
import { writeOutput } from "./output_file.ts";
import { Progress } from "./progress.ts";
import { UsageError } from "./usage_error.ts";

/** Writes the HTML report of a run; what an earlier report in the folder has more is removed. */
export async function writeHtmlFolder(
  loaded: LoadedRun,
  directory: string,
  patchPath: string | undefined,
): Promise<WrittenFile> {
  const { coverage, sources } = loaded;
  const patch = patchPath === undefined ? {} : { patch: parsePatch(readPatch(patchPath)) };
  const input = { coverage, readSource: (file: string) => sources.read(file), ...patch };
  const expected = coverage.universe.counts.files + 8;
  using progress = new Progress("HTML pages", expected);
  const written = new Set<string>();
  for await (const { path, text } of writeHtmlReport(input)) {
    writeOutput(join(directory, path), [text]);
    written.add(path);
    progress.update(written.size);
  }
  removeOldData(directory, written);
  return { path: join(directory, "index.html"), what: "pages to open in a browser" };
}

function readPatch(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw new UsageError(`Cannot read the patch ${path}: ${code}: give a unified diff`, { cause });
  }
}

/** Removes data files of a report that are not among `written`, and nothing else: each says in its text what it is. */
function removeOldData(directory: string, written: ReadonlySet<string>): void {
  for (const entry of readdirSync(join(directory, "data"), { withFileTypes: true })) {
    const key = /^(\w+)\.js$/.exec(entry.name)?.[1];
    if (key === undefined || !entry.isFile() || written.has(`data/${entry.name}`)) continue;
    const path = join(directory, "data", entry.name);
    if (startsWith(path, dataFileStart(key))) unlinkSync(path);
  }
}

function startsWith(path: string, text: string): boolean {
  const wanted = Buffer.from(text);
  const start = Buffer.alloc(wanted.length);
  const fd = openSync(path, "r");
  try {
    readSync(fd, start, 0, start.length, 0);
  } finally {
    closeSync(fd);
  }
  return start.equals(wanted);
}
