import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "../../../src/errors.ts";

/** What gcov says of a source file: its lines with code, and whether they ran. */
export type GcovLines = Map<number, boolean>;

interface GcovReport {
  readonly files: readonly {
    readonly file: string;
    readonly lines: readonly { readonly line_number: number; readonly count: number }[];
  }[];
}

/**
 * Reads the lines of `file` from the counters in `gcda`.
 *
 * @param gcno the object's `.gcno` of the build
 * @throws {FormatError} gcov refused the files, or they tell nothing of `file`
 */
export function readGcovLines(file: string, gcda: string, gcno: string, folder: string): GcovLines {
  copyFileSync(gcno, gcda.replace(/\.gcda$/, ".gcno"));
  const run = spawnSync("gcov", ["--json-format", "--stdout", gcda], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) {
    throw new FormatError(
      "gcov",
      `${run.stderr.trim()}: use the gcov of the compiler that built the twin`,
    );
  }
  const lines: GcovLines = new Map();
  for (const line of run.stdout.split("\n")) {
    if (line === "") continue;
    const report: GcovReport = JSON.parse(line);
    for (const source of report.files) {
      if (source.file !== file && source.file !== join(".", file) && source.file !== `./${file}`) {
        continue;
      }
      for (const { line_number, count } of source.lines) {
        lines.set(line_number, lines.get(line_number) === true || count > 0);
      }
    }
  }
  if (lines.size === 0) {
    throw new FormatError("gcov", `${gcda} has no line of ${file}: rebuild the twin`);
  }
  return lines;
}
