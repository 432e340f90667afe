import type { FilePatch } from "../../coverage/patch/patch.ts";
import { lineAtOrAfter } from "../../coverage/questions/find_source.ts";
import type { RunCoverage } from "../../coverage/run_coverage.ts";
import { formatRanges } from "../../report/line_ranges.ts";
import { plural } from "../../report/text_style.ts";

/** What became of the changed lines of a file. */
export interface ChangedLines {
  readonly path: string;
  /** Numbers of new and changed lines that have coverage points and ran, and of those that did not. */
  readonly ran: readonly number[];
  readonly missed: readonly number[];
}

/** Which of the lines that changes added ran, by the coverage of the kernel that has them. */
export function changedLines(
  coverage: RunCoverage,
  patches: readonly FilePatch[],
): ChangedLines[] {
  const { universe, lineHit } = coverage;
  const { files, lineNumber } = universe.image;
  return patches.map(({ newPath, hunks }) => {
    const ran: number[] = [], missed: number[] = [];
    const file = files.indexOf(newPath);
    for (const { newLine, added } of file < 0 ? [] : hunks.flatMap(({ edits }) => edits)) {
      const end = newLine + added.length;
      for (let line = lineAtOrAfter(universe, file, newLine); line < lineNumber.length; line++) {
        if (line >= universe.fileLineStart[file + 1] || lineNumber[line] >= end) break;
        if (universe.linePoints[line] === 0) continue;
        (lineHit[line] === 1 ? ran : missed).push(lineNumber[line]);
      }
    }
    return { path: newPath, ran, missed };
  });
}

/** One line of text: `fs/pipe.c: 2 changed lines ran; not run: 461`. */
export function changedLinesText({ path, ran, missed }: ChangedLines): string {
  if (ran.length + missed.length === 0) {
    return `${path}: no changed line has coverage points of its own`;
  }
  const parts = [
    ...ran.length > 0 ? [`${plural(ran.length, "changed line")} ran: ${formatRanges(ran)}`] : [],
    ...missed.length > 0 ? [`not run: ${formatRanges(missed)}`] : [],
  ];
  return `${path}: ${parts.join("; ")}`;
}
