import { lowerBound, upperBound } from "../../../src/base/search.ts";
import type { ImageIndex } from "../../../src/symbolize/index/image_index.ts";
import type { GcovLines } from "./gcov_lines.ts";

/** What KCOV's points say of one file: the lines that they claim, and the functions that they are in. */
export interface ClaimedFile {
  readonly lines: Set<number>;
  /** Declaration lines of the file's functions, ascending, and of those that a point is in. */
  readonly functions: readonly number[];
  readonly entered: Set<number>;
}

/** Lines that KCOV's points claim, compared with the lines that gcov saw run; all ascending. */
export interface LineAccuracy {
  /** Claimed, and run by gcov's account. */
  readonly agreed: readonly number[];
  /** Claimed, but by gcov's account not run. */
  readonly falseClaims: readonly number[];
  /** Claimed, but gcov has no counter for the line. */
  readonly uncounted: readonly number[];
  /** Run by gcov's account, in functions that the recorded thread entered, and not claimed. */
  readonly misses: readonly number[];
  /** Run by gcov's account, in functions that only others entered: interrupts, kernel threads. */
  readonly elsewhere: readonly number[];
}

/** Shares of a comparison, or of several together. */
export interface AccuracyRates {
  readonly precision: number;
  /** The precision that takes uncounted lines for false. */
  readonly strictPrecision: number;
  /** Of the lines in functions that the recorded thread entered. */
  readonly recall: number;
  /** Of all lines that gcov saw run. */
  readonly fullRecall: number;
}

/** What the points with the given return addresses claim, by file. */
export function claimedFiles(
  index: ImageIndex,
  pcs: readonly number[],
): Map<string, ClaimedFile> {
  const functions: number[][] = index.files.map(() => []);
  for (let id = 0; id < index.functionName.length; id++) {
    const line = index.functionLine[id];
    if (line > 0) functions[index.functionFile[id]].push(line);
  }
  const claimed = index.files.map((_, file): ClaimedFile => ({
    lines: new Set(),
    functions: functions[file].sort((a, b) => a - b),
    entered: new Set(),
  }));
  for (const pc of pcs) {
    const offset = pc - index.callLength - index.base;
    const point = lowerBound(index.pointOffset, offset);
    if (index.pointOffset[point] !== offset) continue;
    for (let claim = index.claimStart[point]; claim < index.claimStart[point + 1]; claim++) {
      const line = index.claimLine[claim];
      claimed[index.lineFile[line]].lines.add(index.lineNumber[line]);
    }
    for (let frame = index.frameStart[point]; frame < index.frameStart[point + 1]; frame++) {
      const id = index.frameFunction[frame];
      claimed[index.functionFile[id]].entered.add(index.functionLine[id]);
    }
  }
  return new Map(index.files.map((file, at) => [file, claimed[at]]));
}

/** Compares the claimed lines of one file with gcov's. */
export function compareLines(claimed: ClaimedFile, gcov: GcovLines): LineAccuracy {
  const claims = [...claimed.lines].sort((a, b) => a - b);
  const missed = [...gcov].filter(([line, ran]) => ran && !claimed.lines.has(line))
    .map(([line]) => line).sort((a, b) => a - b);
  const isEntered = (line: number): boolean => {
    const next = upperBound(claimed.functions, line);
    return next > 0 && claimed.entered.has(claimed.functions[next - 1]);
  };
  return {
    agreed: claims.filter((line) => gcov.get(line) === true),
    falseClaims: claims.filter((line) => gcov.get(line) === false),
    uncounted: claims.filter((line) => !gcov.has(line)),
    misses: missed.filter(isEntered),
    elsewhere: missed.filter((line) => !isEntered(line)),
  };
}

/** Shares over all lines of the comparisons. */
export function ratesOf(comparisons: readonly LineAccuracy[]): AccuracyRates {
  const sum = (key: keyof LineAccuracy): number =>
    comparisons.reduce((total, comparison) => total + comparison[key].length, 0);
  const agreed = sum("agreed");
  return {
    precision: agreed / (agreed + sum("falseClaims")),
    strictPrecision: agreed / (agreed + sum("falseClaims") + sum("uncounted")),
    recall: agreed / (agreed + sum("misses")),
    fullRecall: agreed / (agreed + sum("misses") + sum("elsewhere")),
  };
}
