import type { RunCoverage } from "../coverage/run_coverage.ts";

/** What was hit and what can be, of a file or a folder. */
export interface Totals {
  functions: number;
  functionsHit: number;
  lines: number;
  linesHit: number;
  /** Lines of which some points were hit and some not; they are in `linesHit` too. */
  linesPartial: number;
}

/** The totals of a file. */
export interface FileTotals extends Totals {
  /** Index into the image's files. */
  readonly file: number;
  readonly path: string;
}

/** Totals of nothing. */
export function noTotals(): Totals {
  return { functions: 0, functionsHit: 0, lines: 0, linesHit: 0, linesPartial: 0 };
}

/** Adds `part` to `sum`. */
export function addTotals(sum: Totals, part: Totals): void {
  sum.functions += part.functions;
  sum.functionsHit += part.functionsHit;
  sum.lines += part.lines;
  sum.linesHit += part.linesHit;
  sum.linesPartial += part.linesPartial;
}

/** The totals of every file that has lines, by path. */
export function fileTotals(coverage: RunCoverage): FileTotals[] {
  const { universe, lineHit, linePointsHit } = coverage;
  const { image, linePoints, fileLineStart, functions } = universe;
  const all: FileTotals[] = [];
  for (let file = 0; file < image.files.length; file++) {
    const totals: FileTotals = { file, path: image.files[file], ...noTotals() };
    const end = fileLineStart[file + 1];
    for (let line = fileLineStart[file]; line < end; line++) {
      if (linePoints[line] === 0) continue;
      totals.lines++;
      if (lineHit[line] === 0) continue;
      totals.linesHit++;
      if (linePointsHit[line] < linePoints[line]) totals.linesPartial++;
    }
    if (totals.lines === 0) continue;
    const lastGroup = functions.fileGroupStart[file + 1];
    for (let group = functions.fileGroupStart[file]; group < lastGroup; group++) {
      const names = functions.groupStart[group + 1] - functions.groupStart[group];
      totals.functions += names;
      if (groupHit(coverage, group)) totals.functionsHit += names;
    }
    all.push(totals);
  }
  return all.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Whether any test hit a line of a group of functions. */
export function groupHit({ universe, lineHit }: RunCoverage, group: number): boolean {
  const { groupLine, groupLineEnd } = universe.functions;
  for (let line = groupLine[group]; line < groupLineEnd[group]; line++) {
    if (lineHit[line] !== 0) return true;
  }
  return false;
}
