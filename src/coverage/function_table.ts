import type { CoverageImage } from "./coverage_image.ts";

/**
 * The functions of a report, in columns ordered by file and line.
 *
 * A function owns the lines from its first one up to the first line of the next function of the file, which is
 * how every reader of LCOV assigns lines to functions; it counts as hit when one of these lines is. Functions
 * that start on one line (`__x64_sys_pipe2` and `__do_sys_pipe2`, for instance) form a group and are hit together.
 */
export interface FunctionTable {
  /** Name as in the source; `name@line` where a file has several functions of that name. */
  readonly name: readonly string[];
  /** Functions of group `g`: ids `groupStart[g]` to `groupStart[g + 1]`. */
  readonly groupStart: Uint32Array;
  readonly groupFile: Uint32Array;
  /** Line ids of group `g`: from `groupLine[g]` up to, not including, `groupLineEnd[g]`. */
  readonly groupLine: Uint32Array;
  readonly groupLineEnd: Uint32Array;
  /** Last line number of group `g`: the last line of its functions and of the lines it owns. */
  readonly groupLastNumber: Uint32Array;
  /** Groups of file `f`: ids `fileGroupStart[f]` to `fileGroupStart[f + 1]`. */
  readonly fileGroupStart: Uint32Array;
  /** Group that owns each line, or -1. */
  readonly lineGroup: Int32Array;
  /** Function of this table for each function of the image, or -1 where it has no line. */
  readonly ofImage: Int32Array;
  /** Functions of the image that have points, all of them unknown, and no line: not in the table. */
  readonly unknown: number;
}

/** The functions of `image` that own lines of the universe, where `linePoints` is 0 for lines outside it. */
export function functionTable(
  image: CoverageImage,
  linePoints: Uint32Array,
  fileLineStart: Uint32Array,
): FunctionTable {
  const order = sortedFunctions(image);
  const name: string[] = [];
  const groupStart: number[] = [];
  const groupFile: number[] = [];
  const groupLine: number[] = [];
  const groupEndNumber: number[] = [];
  const fileGroupStart = new Uint32Array(image.files.length + 1);
  const ofImage = new Int32Array(image.functionName.length).fill(-1);

  let cursor = 0;
  for (let at = 0; at < order.length;) {
    const file = image.functionFile[order[at]];
    const start = image.functionLine[order[at]];
    let next = at;
    let last = 0;
    let bounded = true;
    while (
      next < order.length && image.functionFile[order[next]] === file &&
      image.functionLine[order[next]] === start
    ) {
      const end = image.functionEndLine[order[next]];
      if (end === 0) bounded = false;
      if (end > last) last = end;
      next++;
    }
    if (!bounded) last = 0xffff_ffff;
    if (next < order.length && image.functionFile[order[next]] === file) {
      last = Math.min(last, image.functionLine[order[next]] - 1);
    }
    cursor = Math.max(cursor, fileLineStart[file]);
    const end = fileLineStart[file + 1];
    while (
      cursor < end && (linePoints[cursor] === 0 || image.lineNumber[cursor] < start)
    ) cursor++;
    if (cursor < end && image.lineNumber[cursor] <= last) {
      groupStart.push(name.length);
      groupFile.push(file);
      groupLine.push(cursor);
      groupEndNumber.push(last === 0xffff_ffff ? 0 : last);
      fileGroupStart[file + 1]++;
      addNames(image, order, at, next, name, ofImage);
      cursor++;
    }
    at = next;
  }
  for (let f = 0; f < image.files.length; f++) fileGroupStart[f + 1] += fileGroupStart[f];
  makeNamesUnique(image, name, groupStart, groupFile, groupLine);

  groupStart.push(name.length);
  const groups = groupLine.length;
  const groupLineEnd = new Uint32Array(groups);
  const groupLastNumber = new Uint32Array(groups);
  const lineGroup = new Int32Array(linePoints.length).fill(-1);
  for (let g = 0; g < groups; g++) {
    const sameFile = g + 1 < groups && groupFile[g + 1] === groupFile[g];
    const end = sameFile ? groupLine[g + 1] : fileLineStart[groupFile[g] + 1];
    groupLineEnd[g] = end;
    lineGroup.fill(g, groupLine[g], end);
    let lastLine = end - 1;
    while (linePoints[lastLine] === 0) lastLine--;
    groupLastNumber[g] = Math.max(groupEndNumber[g], image.lineNumber[lastLine]);
  }
  return {
    name,
    groupStart: Uint32Array.from(groupStart),
    groupFile: Uint32Array.from(groupFile),
    groupLine: Uint32Array.from(groupLine),
    groupLineEnd,
    groupLastNumber,
    fileGroupStart,
    lineGroup,
    ofImage,
    unknown: countUnknown(image, ofImage),
  };
}

/** Functions with a declaration line, by file, line and name. */
function sortedFunctions(image: CoverageImage): Uint32Array {
  const { functionFile, functionLine, functionName } = image;
  const order = new Uint32Array(functionName.length);
  let count = 0;
  for (let f = 0; f < functionName.length; f++) {
    if (functionLine[f] !== 0 && functionFile[f] < image.files.length) order[count++] = f;
  }
  return order.subarray(0, count).sort((a, b) =>
    functionFile[a] - functionFile[b] || functionLine[a] - functionLine[b] ||
    (functionName[a] < functionName[b] ? -1 : functionName[a] > functionName[b] ? 1 : a - b)
  );
}

/** Adds the functions `order[from]` to `order[to]`, those of one name once. */
function addNames(
  image: CoverageImage,
  order: Uint32Array,
  from: number,
  to: number,
  name: string[],
  ofImage: Int32Array,
): void {
  for (let at = from; at < to; at++) {
    const f = order[at];
    const text = image.functionName[f];
    if (at === from || text !== image.functionName[order[at - 1]]) name.push(text);
    ofImage[f] = name.length - 1;
  }
}

/** Readers of LCOV reject or merge two functions of one name in a file (macros that make `static` twins). */
function makeNamesUnique(
  image: CoverageImage,
  name: string[],
  groupStart: readonly number[],
  groupFile: readonly number[],
  groupLine: readonly number[],
): void {
  const seen = new Map<string, number>();
  const twins = new Uint8Array(name.length);
  let file = -1;
  for (let g = 0; g < groupLine.length; g++) {
    if (groupFile[g] !== file) {
      seen.clear();
      file = groupFile[g];
    }
    const end = groupStart[g + 1] ?? name.length;
    for (let f = groupStart[g]; f < end; f++) {
      const first = seen.get(name[f]);
      if (first === undefined) seen.set(name[f], f);
      else twins[first] = twins[f] = 1;
    }
  }
  for (let g = 0; g < groupLine.length; g++) {
    const end = groupStart[g + 1] ?? name.length;
    for (let f = groupStart[g]; f < end; f++) {
      if (twins[f] === 1) name[f] = `${name[f]}@${image.lineNumber[groupLine[g]]}`;
    }
  }
}

function countUnknown(image: CoverageImage, ofImage: Int32Array): number {
  const SEEN = 1, UNSEEN = 2;
  const state = new Uint8Array(ofImage.length);
  for (let p = 0; p < image.pointOffset.length; p++) {
    const bit = image.pointUnknown[p] === 1 ? UNSEEN : SEEN;
    const end = image.frameStart[p + 1];
    for (let frame = image.frameStart[p]; frame < end; frame++) {
      state[image.frameFunction[frame]] |= bit;
    }
  }
  let unknown = 0;
  for (let f = 0; f < ofImage.length; f++) if (state[f] === UNSEEN && ofImage[f] === -1) unknown++;
  return unknown;
}
