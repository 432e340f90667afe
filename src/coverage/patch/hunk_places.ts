import type { FilePatch, Hunk } from "./patch.ts";

/** Which side of a patch the image was built from. */
export type PatchSide = "old" | "new";

/** Where a hunk lies in the image's source. */
export interface HunkPlace {
  readonly side: PatchSide;
  /** Lines to add to the patch's own numbers. */
  readonly shift: number;
  /** Whether the source was available and holds the hunk's text. */
  readonly verified: boolean;
}

/** The changes of a file, and the lines of the image's source of it, where they are at hand. */
export interface SourcedPatch {
  readonly change: FilePatch;
  readonly source: readonly string[] | undefined;
}

/**
 * The side that the image was built from; `undefined` where the sources are not at hand, or hold neither. All hunks
 * together tell it: what is left around lines that one inserts, or removes, can stand elsewhere too. It is the side of which
 * more hunks are found, then that of which they are nearer to where the patch has them, then that of which more lines are.
 */
export function patchSide(files: readonly SourcedPatch[]): PatchSide | undefined {
  const found = { old: noEvidence(), new: noEvidence() };
  for (const { change, source } of files) {
    if (source === undefined) continue;
    for (const side of ["old", "new"] as const) {
      const places = placesOf(change.hunks, source, side);
      places.forEach((shift, i) => {
        const evidence = found[side];
        if (shift === undefined) return;
        evidence.hunks++;
        // A file that has grown above is no evidence against a side: what its hunks have in common does not count.
        evidence.distance += Math.abs(shift - (places[i - 1] ?? 0));
        evidence.lines += textOf(change.hunks[i], side).length;
      });
    }
  }
  const { old, new: applied } = found;
  if (old.lines + applied.lines === 0) return undefined;
  const preferred = applied.hunks - old.hunks || old.distance - applied.distance ||
    applied.lines - old.lines;
  return preferred > 0 ? "new" : "old";
}

/**
 * Finds the hunks of a file in the source that the image was built from, as patch(1) would: the text of the given side, or
 * else that of the other one, nearest to the line that the patch names and the hunk before has shown.
 *
 * @param side `"old"`, where the patch is not applied, or `"new"`
 * @param isSure the other side is not looked for
 */
export function placeHunks(
  hunks: readonly Hunk[],
  source: readonly string[] | undefined,
  side: PatchSide,
  isSure: boolean,
): HunkPlace[] {
  const other = side === "old" ? "new" : "old";
  const own = source && placesOf(hunks, source, side);
  const others = source && !isSure ? placesOf(hunks, source, other) : undefined;
  return hunks.map((_, i) => {
    const shift = own?.[i];
    if (shift !== undefined) return { side, shift, verified: true };
    const otherShift = others?.[i];
    if (otherShift !== undefined) return { side: other, shift: otherShift, verified: true };
    return { side, shift: 0, verified: false };
  });
}

/** By how many lines the text of each hunk has moved; `undefined` where the source does not hold it. */
function placesOf(
  hunks: readonly Hunk[],
  source: readonly string[],
  side: PatchSide,
): (number | undefined)[] {
  let last = 0;
  return hunks.map((hunk) => {
    const line = side === "old" ? hunk.oldLine : hunk.newLine;
    const found = nearestMatch(source, textOf(hunk, side), line + last);
    if (found === undefined) return undefined;
    return last = found - line;
  });
}

function textOf(hunk: Hunk, side: PatchSide): readonly string[] {
  return side === "old" ? hunk.oldText : hunk.newText;
}

function noEvidence(): { hunks: number; distance: number; lines: number } {
  return { hunks: 0, distance: 0, lines: 0 };
}

/** Line number nearest to `expected` where `source` holds `text`. */
function nearestMatch(
  source: readonly string[],
  text: readonly string[],
  expected: number,
): number | undefined {
  if (text.length === 0) return expected;
  const last = source.length - text.length;
  for (let distance = 0; distance <= source.length; distance++) {
    for (const start of distance === 0 ? [expected] : [expected - distance, expected + distance]) {
      const at = start - 1;
      if (at < 0 || at > last) continue;
      if (text.every((line, i) => source[at + i].trimEnd() === line.trimEnd())) return start;
    }
  }
  return undefined;
}
