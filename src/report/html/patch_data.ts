import { lineAtOrAfter } from "../../coverage/questions/find_source.ts";
import type { FilePatch, Hunk } from "../../coverage/patch/patch.ts";
import type { PatchSide } from "../../coverage/patch/hunk_places.ts";
import { judgeFile } from "../../coverage/patch/patch_files.ts";
import { type HunkJudgement, whichPatch } from "../../coverage/patch/patch_tests.ts";
import { repeatIndex } from "../../coverage/repeat_index.ts";
import type { TestLookup } from "../../coverage/questions/test_lookup.ts";
import { reasonText } from "../answer_text.ts";
import type { PatchData, PatchFile, PatchRow } from "./report_data.ts";
import type { ReportFiles } from "./report_files.ts";

/** The patch page. */
export function patchData(
  lookup: TestLookup,
  files: ReportFiles,
  patch: readonly FilePatch[],
  source: (file: string) => readonly string[] | undefined,
  side: PatchSide | undefined,
): PatchData {
  const { universe } = lookup.coverage;
  const answer = whichPatch(lookup, patch, side === undefined ? { source } : { source, side });
  const rank = new Map(answer.tests.map(({ test }, position) => [test, position]));
  let next = 0;
  return {
    runAll: answer.runAll,
    tests: answer.tests.map(({ test, score, reasons }) => ({
      test,
      score: Math.round(score * 1000) / 1000,
      reasons: reasons.map(reasonText),
    })),
    incomplete: answer.incomplete,
    files: patch.map((change): PatchFile => {
      const judged = judgeFile(universe, change);
      const imageFile = judged.kind === "source" ? judged.file : -1;
      // The answer has a hunk for each one of the patch, and one for a file without any.
      const hunks = change.hunks.length === 0 ? [undefined] : change.hunks;
      return {
        path: change.oldPath || change.newPath,
        file: imageFile < 0 ? -1 : files.ofImage[imageFile],
        hunks: hunks.map((hunk) => {
          const judgement = answer.hunks[next++];
          const { line, heading, state, reason, functions, uncovered, tests } = judgement;
          return {
            line,
            heading,
            state,
            reason,
            functions,
            uncovered,
            tests: [...tests].sort((a, b) => rank.get(a)! - rank.get(b)!),
            rows: hunk === undefined ? [] : hunkRows(lookup, imageFile, hunk, judgement),
          };
        }),
      };
    }),
  };
}

/** The lines of a hunk, each with its number in the image's source and the tests that run it. */
function hunkRows(
  lookup: TestLookup,
  imageFile: number,
  hunk: Hunk,
  { side, line }: HunkJudgement,
): PatchRow[] {
  const shift = line - (side === "old" ? hunk.oldLine : hunk.newLine);
  const rows: PatchRow[] = [];
  let oldLine = hunk.oldLine, newLine = hunk.newLine;
  const add = (mark: " " | "-" | "+", text: string): void => {
    const inImage = mark === " " || mark === (side === "old" ? "-" : "+");
    const number = inImage ? (side === "old" ? oldLine : newLine) + shift : 0;
    rows.push([mark, text, number, inImage ? testsOf(lookup, imageFile, number) : -1]);
    if (mark !== "+") oldLine++;
    if (mark !== "-") newLine++;
  };
  const unchanged = (until: number): void => {
    while (oldLine < until) add(" ", hunk.oldText[oldLine - hunk.oldLine]);
  };
  for (const edit of hunk.edits) {
    unchanged(edit.oldLine);
    for (const text of edit.removed) add("-", text);
    for (const text of edit.added) add("+", text);
  }
  unchanged(hunk.oldLine + hunk.oldText.length);
  return rows;
}

/** Number of tests that run a line, or -1 where it has no points. */
function testsOf(lookup: TestLookup, imageFile: number, number: number): number {
  if (imageFile < 0) return -1;
  const { universe } = lookup.coverage;
  const line = lineAtOrAfter(universe, imageFile, number);
  const known = line < universe.fileLineStart[imageFile + 1] &&
    universe.image.lineNumber[line] === number && universe.linePoints[line] !== 0;
  if (!known) return -1;
  return repeatIndex(lookup.coverage).distinct(lookup.testsOfLines(line, line + 1)).length;
}
