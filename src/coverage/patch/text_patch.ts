import { diffLines } from "../../base/diff_lines.ts";
import type { FilePatch, Hunk } from "./patch.ts";

/**
 * What changed between two texts of a file, as the patch that makes one of the other.
 *
 * @param before `undefined` where the file was not there
 * @param after `undefined` where it is not there any more
 */
export function textPatch(
  path: string,
  before: string | undefined,
  after: string | undefined,
): FilePatch {
  const from = linesOf(before ?? ""), to = linesOf(after ?? "");
  const hunks = diffLines(from, to).map((change): Hunk => {
    const removed = from.slice(change.oldStart, change.oldStart + change.oldCount);
    const added = to.slice(change.newStart, change.newStart + change.newCount);
    const oldLine = change.oldStart + 1, newLine = change.newStart + 1;
    return {
      heading: "",
      oldLine,
      newLine,
      oldText: removed,
      newText: added,
      edits: [{ oldLine, newLine, removed, added }],
    };
  });
  return {
    oldPath: before === undefined ? "" : path,
    newPath: after === undefined ? "" : path,
    hunks,
    binary: false,
  };
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
