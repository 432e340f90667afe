import type { RunCoverage } from "./run_coverage.ts";

/** A least share of lines, of everything or of one folder or file. */
export interface Threshold {
  /** Folder or file; empty for all files. */
  readonly path: string;
  /** In percent. */
  readonly percent: number;
}

/** A threshold and whether a run meets it. */
export interface ThresholdResult extends Threshold {
  readonly lines: number;
  readonly linesHit: number;
  /** False too where the path has no lines: a threshold that checks nothing must not pass in silence. */
  readonly met: boolean;
}

/** Reads `80` or `fs/pipe.c=80`; `undefined` where `text` is neither or not from 0 to 100. */
export function parseThreshold(text: string): Threshold | undefined {
  const match = /^(?:(.+)=)?(\d+(?:\.\d+)?)%?$/.exec(text);
  if (match === null || Number(match[2]) > 100) return undefined;
  return { path: (match[1] ?? "").replace(/\/+$/, ""), percent: Number(match[2]) };
}

/** Compares a run with thresholds. */
export function checkThresholds(
  coverage: RunCoverage,
  thresholds: readonly Threshold[],
): ThresholdResult[] {
  const { fileLineStart, image: { files } } = coverage.universe;
  return thresholds.map((threshold) => {
    let lines = 0, linesHit = 0;
    for (let file = 0; file < files.length; file++) {
      const path = files[file];
      if (
        threshold.path !== "" && path !== threshold.path && !path.startsWith(`${threshold.path}/`)
      ) continue;
      const share = coverage.lineShare(fileLineStart[file], fileLineStart[file + 1]);
      lines += share.lines;
      linesHit += share.linesHit;
    }
    return {
      ...threshold,
      lines,
      linesHit,
      met: lines > 0 && 100 * linesHit >= threshold.percent * lines,
    };
  });
}
