import { lineAtOrAfter } from "../questions/find_source.ts";
import type { RunCoverage } from "../run_coverage.ts";
import { LineMap } from "./line_map.ts";

/** A build of a kernel, and what its tests covered. */
export interface HistoryBuild {
  /** As it was named, for people. */
  readonly name: string;
  readonly coverage: RunCoverage;
  /** The text that a file of the image was built from; `undefined` where that is not at hand. */
  source(file: string): string | undefined;
}

/** Why a line of a build has no counterpart in a later one. */
export type NoCounterpart = "changed" | "no-points" | "no-file" | "no-source";

/** The lines of two builds that are the same line of the source, and have coverage points in both. */
export interface MatchedLines {
  /** By line of the older build, that of the newer one, as ids of the universes; -1 where it has none. */
  readonly to: Int32Array;
  /** By line of the newer build, that of the older one. */
  readonly from: Int32Array;
  /** Why lines of the older build that tests ran have no counterpart, and how many. */
  readonly without: Readonly<Record<NoCounterpart, number>>;
  /** By line of the older build, and of the newer one, 1 where its text was changed. */
  readonly changedBefore: Uint8Array;
  readonly changedAfter: Uint8Array;
}

/** Matches the lines of two builds through the differences of their sources. */
export function matchLines(older: HistoryBuild, newer: HistoryBuild): MatchedLines {
  const before = older.coverage.universe, after = newer.coverage.universe;
  const to = new Int32Array(before.linePoints.length).fill(-1);
  const from = new Int32Array(after.linePoints.length).fill(-1);
  const changedBefore = new Uint8Array(to.length), changedAfter = new Uint8Array(from.length);
  const without = { "changed": 0, "no-points": 0, "no-file": 0, "no-source": 0 };
  const fileOf = new Map(after.image.files.map((path, file) => [path, file]));
  const isSame = before.image.buildId !== "" && before.image.buildId === after.image.buildId;
  before.image.files.forEach((path, file) => {
    const first = before.fileLineStart[file], end = before.fileLineStart[file + 1];
    const other = fileOf.get(path);
    const map = other === undefined || first === end
      ? undefined
      : isSame
      ? new LineMap("", "")
      : mapOf(older.source(path), newer.source(path));
    for (let line = first; line < end; line++) {
      if (before.linePoints[line] === 0) continue;
      const number = map === undefined ? 0 : map.lineOf(before.image.lineNumber[line]);
      if (map !== undefined && number === 0) changedBefore[line] = 1;
      if (number > 0) {
        const found = lineAtOrAfter(after, other!, number);
        const isThere = found < after.fileLineStart[other! + 1] &&
          after.image.lineNumber[found] === number && after.linePoints[found] > 0;
        if (isThere) {
          to[line] = found;
          from[found] = line;
          continue;
        }
      }
      if (older.coverage.lineHit[line] === 0) continue;
      without[
        other === undefined
          ? "no-file"
          : map === undefined
          ? "no-source"
          : number === 0
          ? "changed"
          : "no-points"
      ]++;
    }
  });
  markAdded(older, newer, changedAfter, isSame);
  return { to, from, without, changedBefore, changedAfter };
}

function mapOf(before: string | undefined, after: string | undefined): LineMap | undefined {
  return before === undefined || after === undefined ? undefined : new LineMap(before, after);
}

/** Marks the lines of the newer build that no line of the older text is the same as. */
function markAdded(
  older: HistoryBuild,
  newer: HistoryBuild,
  changed: Uint8Array,
  isSame: boolean,
): void {
  if (isSame) return;
  const { image, fileLineStart } = newer.coverage.universe;
  const known = new Set(older.coverage.universe.image.files);
  image.files.forEach((path, file) => {
    if (fileLineStart[file] === fileLineStart[file + 1]) return;
    const map = known.has(path) ? mapOf(newer.source(path), older.source(path)) : undefined;
    if (map === undefined) return;
    for (let line = fileLineStart[file]; line < fileLineStart[file + 1]; line++) {
      if (map.lineOf(image.lineNumber[line]) === 0) changed[line] = 1;
    }
  });
}
