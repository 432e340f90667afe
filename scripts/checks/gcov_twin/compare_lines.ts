import { lowerBound } from "../../../src/base/search.ts";
import type { ImageIndex } from "../../../src/symbolize/index/image_index.ts";
import type { GcovLines } from "./gcov_lines.ts";

/** Lines that KCOV's points claim, compared with the lines that gcov saw run; all ascending. */
export interface LineAccuracy {
  /** Claimed, and run by gcov's account. */
  readonly agreed: readonly number[];
  /** Claimed, but by gcov's account not run. */
  readonly falseClaims: readonly number[];
  /** Claimed, but gcov has no counter for the line. */
  readonly uncounted: readonly number[];
  /** Run by gcov's account, and not claimed. */
  readonly misses: readonly number[];
  readonly precision: number;
  /** The precision that takes uncounted lines for false. */
  readonly strictPrecision: number;
  readonly recall: number;
}

/** The lines of every file that the points with the given return addresses claim. */
export function claimedLines(index: ImageIndex, pcs: readonly number[]): Map<string, Set<number>> {
  const claimed = new Map<string, Set<number>>(index.files.map((file) => [file, new Set()]));
  for (const pc of pcs) {
    const offset = pc - index.callLength - index.base;
    const point = lowerBound(index.pointOffset, offset);
    if (index.pointOffset[point] !== offset) continue;
    for (let claim = index.claimStart[point]; claim < index.claimStart[point + 1]; claim++) {
      const line = index.claimLine[claim];
      claimed.get(index.files[index.lineFile[line]])!.add(index.lineNumber[line]);
    }
  }
  return claimed;
}

/** Compares the claimed lines of one file with gcov's. */
export function compareLines(claimed: ReadonlySet<number>, gcov: GcovLines): LineAccuracy {
  const claims = [...claimed].sort((a, b) => a - b);
  const agreed = claims.filter((line) => gcov.get(line) === true);
  const falseClaims = claims.filter((line) => gcov.get(line) === false);
  const uncounted = claims.filter((line) => !gcov.has(line));
  const misses = [...gcov].filter(([line, ran]) => ran && !claimed.has(line))
    .map(([line]) => line).sort((a, b) => a - b);
  return {
    agreed,
    falseClaims,
    uncounted,
    misses,
    precision: agreed.length / (agreed.length + falseClaims.length),
    strictPrecision: agreed.length / claims.length,
    recall: agreed.length / (agreed.length + misses.length),
  };
}
