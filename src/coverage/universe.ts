import type { CoverageImage } from "./coverage_image.ts";
import { type FunctionTable, functionTable } from "./function_table.ts";

/**
 * What can be covered in an image: the denominators of every report.
 *
 * A line is in the universe when at least one point that can be seen claims it; line ids are the image's, and
 * lines outside the universe have `linePoints` 0.
 */
export interface Universe {
  readonly image: CoverageImage;
  /**
   * Points of each line that can be seen: those that claim it directly, or 1 where points claim it only indirectly
   * (see `claimDirect`); 0: the line is in no report.
   */
  readonly linePoints: Uint32Array;
  /**
   * By claim of the image: 1 where the point's block holds code of the line; 0 where the point only shows that the
   * line was passed, being within a call inlined there or within the function declared there. Such a point says
   * nothing of how much of the line ran.
   */
  readonly claimDirect: Uint8Array;
  /** 1 for lines that points claim only indirectly. */
  readonly lineIndirect: Uint8Array;
  /** Lines of file `f`: ids `fileLineStart[f]` to `fileLineStart[f + 1]`. */
  readonly fileLineStart: Uint32Array;
  /** Position of each point in the order of the compiled functions that hold them. */
  readonly pointRank: Uint32Array;
  /** Inverse of `pointRank`. */
  readonly rankPoint: Uint32Array;
  /** The compiled function that holds each point, that of its outermost frame, by a number of its own. */
  readonly pointContainer: Uint32Array;
  readonly functions: FunctionTable;
  readonly counts: UniverseCounts;
}

/** Sizes of a {@linkcode Universe}, and what had to be left out of it. */
export interface UniverseCounts {
  /** Files with at least one line. */
  readonly files: number;
  /** Functions with at least one line. */
  readonly functions: number;
  readonly lines: number;
  /** Points that can be seen. */
  readonly points: number;
  /** Tail calls of the coverage function: they report an address of their caller, so they are never seen. */
  readonly unknownPoints: number;
  /** Functions that have such points only: neither covered nor uncovered. */
  readonly unknownFunctions: number;
  /** Lines that only such points claim. */
  readonly unknownLines: number;
  /** Lines past the end of the source file, left out: the sources are of another build. */
  readonly linesPastEnd: number;
}

/** Options of {@linkcode buildUniverse}. */
export interface UniverseOptions {
  /** Number of lines of a source file, where the sources are available: lines past it are left out and counted. */
  sourceLines?(file: string): number | undefined;
}

/** The universe of an image. Takes some milliseconds for 200,000 points. */
export function buildUniverse(image: CoverageImage, options: UniverseOptions = {}): Universe {
  const pointCount = image.pointOffset.length;
  const lineCount = image.lineNumber.length;
  const linePoints = new Uint32Array(lineCount);
  const lineIndirect = new Uint8Array(lineCount);
  const unseen = new Uint8Array(lineCount);
  const claimDirect = directClaims(image);
  let unknownPoints = 0;
  for (let p = 0; p < pointCount; p++) {
    const unknown = image.pointUnknown[p];
    unknownPoints += unknown;
    const end = image.claimStart[p + 1];
    for (let c = image.claimStart[p]; c < end; c++) {
      const line = image.claimLine[c];
      if (unknown === 1) unseen[line] = 1;
      else if (claimDirect[c] === 1) linePoints[line]++;
      else lineIndirect[line] = 1;
    }
  }
  let unknownLines = 0;
  for (let line = 0; line < lineCount; line++) {
    if (linePoints[line] === 0) linePoints[line] = lineIndirect[line];
    else lineIndirect[line] = 0;
    if (linePoints[line] === 0 && unseen[line] === 1) unknownLines++;
  }

  const fileLineStart = firstLines(image);
  const linesPastEnd = dropLinesPastEnd(image, linePoints, fileLineStart, options);
  let lines = 0;
  let files = 0;
  for (let file = 0; file < image.files.length; file++) {
    const before = lines;
    const end = fileLineStart[file + 1];
    for (let line = fileLineStart[file]; line < end; line++) if (linePoints[line] !== 0) lines++;
    if (lines > before) files++;
  }

  const pointContainer = containers(image);
  const { pointRank, rankPoint } = ranks(pointContainer, image.functionName.length + 1);
  const functions = functionTable(image, linePoints, fileLineStart);
  return {
    image,
    linePoints,
    claimDirect,
    lineIndirect,
    fileLineStart,
    pointRank,
    rankPoint,
    pointContainer,
    functions,
    counts: {
      files,
      functions: functions.name.length,
      lines,
      points: pointCount - unknownPoints,
      unknownPoints,
      unknownFunctions: functions.unknown,
      unknownLines,
      linesPastEnd,
    },
  };
}

function directClaims(image: CoverageImage): Uint8Array {
  const { frameFile, frameLine, frameFunction, functionFile, functionLine } = image;
  const direct = new Uint8Array(image.claimLine.length);
  for (let p = 0; p < image.pointOffset.length; p++) {
    const first = image.frameStart[p], frameEnd = image.frameStart[p + 1];
    const end = image.claimStart[p + 1];
    for (let c = image.claimStart[p]; c < end; c++) {
      const file = image.lineFile[image.claimLine[c]];
      const line = image.lineNumber[image.claimLine[c]];
      direct[c] = 1;
      if (first === frameEnd || (frameFile[first] === file && frameLine[first] === line)) continue;
      for (let frame = first; frame < frameEnd; frame++) {
        const f = frameFunction[frame];
        if (
          (frameFile[frame] === file && frameLine[frame] === line) ||
          (functionFile[f] === file && functionLine[f] === line)
        ) direct[c] = 0;
      }
    }
  }
  return direct;
}

function firstLines(image: CoverageImage): Uint32Array {
  const start = new Uint32Array(image.files.length + 1);
  for (let line = 0; line < image.lineFile.length; line++) start[image.lineFile[line] + 1]++;
  for (let file = 0; file < image.files.length; file++) start[file + 1] += start[file];
  return start;
}

function dropLinesPastEnd(
  image: CoverageImage,
  linePoints: Uint32Array,
  fileLineStart: Uint32Array,
  options: UniverseOptions,
): number {
  let dropped = 0;
  if (options.sourceLines === undefined) return dropped;
  for (let file = 0; file < image.files.length; file++) {
    const first = fileLineStart[file];
    let line = fileLineStart[file + 1];
    if (line === first) continue;
    const last = options.sourceLines(image.files[file]);
    if (last === undefined) continue;
    while (--line >= first && image.lineNumber[line] > last) {
      if (linePoints[line] !== 0) dropped++;
      linePoints[line] = 0;
    }
  }
  return dropped;
}

/**
 * The compiled function of each point, numbered in the order of their addresses, so that points in the order of
 * their functions are nearly in the order of their addresses too.
 */
function containers(image: CoverageImage): Uint32Array {
  const container = new Uint32Array(image.pointOffset.length);
  // A point without frames stands in no function; the id past the last one keeps such points together.
  const number = new Int32Array(image.functionName.length + 1).fill(-1);
  let next = 0;
  for (let p = 0; p < container.length; p++) {
    const end = image.frameStart[p + 1];
    const f = end === image.frameStart[p]
      ? image.functionName.length
      : image.frameFunction[end - 1];
    if (number[f] === -1) number[f] = next++;
    container[p] = number[f];
  }
  return container;
}

/** A counting sort of points by container: parts of one function that lie apart (`.cold`) come together. */
function ranks(
  container: Uint32Array,
  containerCount: number,
): { pointRank: Uint32Array; rankPoint: Uint32Array } {
  const next = new Uint32Array(containerCount + 1);
  for (let p = 0; p < container.length; p++) next[container[p] + 1]++;
  for (let c = 0; c < containerCount; c++) next[c + 1] += next[c];
  const pointRank = new Uint32Array(container.length);
  const rankPoint = new Uint32Array(container.length);
  for (let p = 0; p < container.length; p++) {
    const rank = next[container[p]]++;
    pointRank[p] = rank;
    rankPoint[rank] = p;
  }
  return { pointRank, rankPoint };
}
