import { TripleTable } from "../base/triple_table.ts";
import { kernelPath, sourceRoots } from "./source_paths.ts";
import { StringTable, UNKNOWN } from "./source_tables.ts";
import type { SymbolNames } from "./symbol_names.ts";
import { symbolAt } from "./symbol_names.ts";
import type { UnitResults, UnitWork } from "./unit_work.ts";
import type { IndexParts } from "./index_columns.ts";

/** The part of {@linkcode IndexParts} that follows from the units. */
export type MergedParts = Pick<
  IndexParts,
  | "everyFrameStart"
  | "frameFunction"
  | "framePath"
  | "frameLine"
  | "claimStart"
  | "claimLine"
  | "lineFile"
  | "lineNumber"
  | "functionName"
  | "functionFile"
  | "functionLine"
  | "functionEndLine"
  | "linkageName"
  | "files"
  | "paths"
  | "pathFile"
>;

/**
 * Puts the results of all threads together: numbers files, functions and lines in an order that does not depend on
 * which thread did what, and brings frames and claims into the order of the addresses.
 *
 * @param offsets of all points, from the base that `symbols` counts from
 * @param universe first and last + 1 point that claims lines
 */
export function mergeResults(
  offsets: ArrayLike<number>,
  work: UnitWork,
  results: readonly UnitResults[],
  symbols: SymbolNames,
  universe: readonly [number, number],
): MergedParts {
  const paths = new StringTable();
  paths.intern(UNKNOWN);
  const pathMaps = results.map((result) =>
    Int32Array.from(result.paths, (path) => paths.intern(path))
  );
  const { files, pathFile } = filesOf(paths.strings, results);
  const functions = mergeFunctions(offsets, work, results, symbols, pathMaps, pathFile);
  const lines = mergeLines(results, pathMaps, pathFile, files.length);
  const frames = placeFrames(offsets.length, work, results, pathMaps, functions);
  const claims = placeClaims(work, results, lines.maps, lines.file.length, universe);
  return {
    ...frames,
    ...claims,
    lineFile: lines.file,
    lineNumber: lines.number,
    functionName: functions.name,
    functionFile: functions.file,
    functionLine: functions.line,
    functionEndLine: lastLines(functions, frames, pathFile),
    linkageName: functions.linkageName,
    files,
    paths: paths.strings,
    pathFile,
  };
}

/** The kernel-relative files that paths lead to, in alphabetical order, and the file of each path. */
function filesOf(
  paths: readonly string[],
  results: readonly UnitResults[],
): { files: string[]; pathFile: Uint32Array } {
  const roots = sourceRoots(paths, new Set(results.flatMap((result) => result.folders)));
  const relative = paths.map((path) => kernelPath(path, roots));
  const files = [...new Set(relative)].sort();
  const numbers = new Map(files.map((file, index) => [file, index]));
  return { files, pathFile: Uint32Array.from(relative, (file) => numbers.get(file) as number) };
}

interface MergedFunctions {
  readonly name: readonly string[];
  readonly file: Uint32Array;
  readonly line: Uint32Array;
  readonly linkageName: ReadonlyMap<number, string>;
  /** Number of each result's functions. */
  readonly maps: readonly Int32Array[];
  /** Number of the function of frames that are in none, by the address's index: named by the symbol. */
  readonly bySymbol: ReadonlyMap<number, number>;
}

function mergeFunctions(
  offsets: ArrayLike<number>,
  work: UnitWork,
  results: readonly UnitResults[],
  symbols: SymbolNames,
  pathMaps: readonly Int32Array[],
  pathFile: Uint32Array,
): MergedFunctions {
  const names = new StringTable();
  const table = new TripleTable(16384);
  const linkage: string[] = [];
  const maps = results.map((result, at) => {
    const nameMap = Int32Array.from(result.names, (name) => names.intern(name));
    return Int32Array.from(result.functionName, (name, index) => {
      const path = pathMaps[at][result.functionPath[index]];
      const id = table.intern(nameMap[name], pathFile[path], result.functionLine[index]);
      const other = result.functionLinkage[index];
      if (other !== name) linkage[id] ??= result.names[other];
      return id;
    });
  });
  const nowhere = pathFile[0];
  const bySymbol = new Map<number, number>();
  eachAddress(work, results, (result, at, index, frame) => {
    if (result.frames[at] === 0 || result.frameFunction[frame] >= 0) return;
    const symbol = symbolAt(symbols, offsets[index]);
    const name = symbol < 0 ? UNKNOWN : symbols.nameAt(symbol);
    bySymbol.set(index, table.intern(names.intern(name), nowhere, 0));
  });
  // In the order of files, lines and names.
  const order = orderBy(table.b, table.c, table.count, pathFile.length, (a, b) => {
    const left = names.strings[table.a[a]], right = names.strings[table.a[b]];
    return left < right ? -1 : left > right ? 1 : 0;
  });
  const numbers = new Int32Array(table.count);
  order.forEach((id, number) => numbers[id] = number);
  const linkageName = new Map<number, string>();
  linkage.forEach((name, id) => linkageName.set(numbers[id], name));
  for (const map of maps) map.forEach((id, index) => map[index] = numbers[id]);
  for (const [index, id] of bySymbol) bySymbol.set(index, numbers[id]);
  return {
    name: Array.from(order, (id) => names.strings[table.a[id]]),
    file: Uint32Array.from(order, (id) => table.b[id]),
    line: Uint32Array.from(order, (id) => table.c[id]),
    linkageName,
    maps,
    bySymbol,
  };
}

function mergeLines(
  results: readonly UnitResults[],
  pathMaps: readonly Int32Array[],
  pathFile: Uint32Array,
  fileCount: number,
): { file: Uint32Array; number: Uint32Array; maps: Int32Array[] } {
  const table = new TripleTable(65536);
  const maps = results.map((result, at) =>
    Int32Array.from(
      result.linePath,
      (path, index) => table.intern(pathFile[pathMaps[at][path]], result.lineNumber[index], 0),
    )
  );
  const order = orderBy(table.a, table.b, table.count, fileCount);
  const numbers = new Int32Array(table.count);
  for (let number = 0; number < order.length; number++) numbers[order[number]] = number;
  for (const map of maps) {
    for (let index = 0; index < map.length; index++) map[index] = numbers[map[index]];
  }
  return {
    file: Uint32Array.from(order, (id) => table.a[id]),
    number: Uint32Array.from(order, (id) => table.b[id]),
    maps,
  };
}

/** Order of ids by a small number and then a line, and where a comparison is given by that. */
function orderBy(
  group: Int32Array,
  line: Int32Array,
  count: number,
  groupCount: number,
  compare?: (a: number, b: number) => number,
): Uint32Array {
  const start = new Uint32Array(groupCount + 1);
  for (let id = 0; id < count; id++) start[group[id] + 1]++;
  for (let at = 0; at < groupCount; at++) start[at + 1] += start[at];
  const next = start.slice();
  const members = new Uint32Array(count);
  for (let id = 0; id < count; id++) members[next[group[id]]++] = id;
  const order = new Uint32Array(count);
  for (let at = 0; at < groupCount; at++) {
    const from = start[at], to = start[at + 1];
    // Sorted natively as numbers: the line over the place in the group.
    const keys = new Float64Array(to - from);
    for (let index = from; index < to; index++) {
      keys[index - from] = (line[members[index]] >>> 0) * 0x20_0000 + (index - from);
    }
    keys.sort();
    for (let index = 0; index < keys.length; index++) {
      order[from + index] = members[from + keys[index] % 0x20_0000];
    }
    if (compare === undefined) continue;
    for (let index = from; index < to;) {
      let end = index + 1;
      while (end < to && line[order[end]] === line[order[index]]) end++;
      if (end > index + 1) order.subarray(index, end).sort(compare);
      index = end;
    }
  }
  return order;
}

type VisitAddress = (
  result: UnitResults,
  at: number,
  index: number,
  frame: number,
  claim: number,
  resultIndex: number,
) => void;

/** Visits each address of each result: its place in the result's columns and among all addresses. */
function eachAddress(work: UnitWork, results: readonly UnitResults[], visit: VisitAddress): void {
  results.forEach((result, resultIndex) => {
    let at = 0, frame = 0, claim = 0;
    for (const unit of result.units) {
      const end = work.start[unit + 1];
      for (let place = work.start[unit]; place < end; place++) {
        visit(result, at, work.order[place], frame, claim, resultIndex);
        frame += result.frames[at];
        claim += result.claims[at];
        at++;
      }
    }
  });
}

function placeFrames(
  count: number,
  work: UnitWork,
  results: readonly UnitResults[],
  pathMaps: readonly Int32Array[],
  functions: MergedFunctions,
): Pick<MergedParts, "everyFrameStart" | "frameFunction" | "framePath" | "frameLine"> {
  const start = new Uint32Array(count + 1);
  eachAddress(work, results, (result, at, index) => {
    start[index + 1] = result.frames[at];
  });
  for (let index = 0; index < count; index++) start[index + 1] += start[index];
  const total = start[count];
  const frameFunction = new Uint32Array(total);
  const framePath = new Uint32Array(total);
  const frameLine = new Uint32Array(total);
  eachAddress(work, results, (result, at, index, frame, _claim, resultIndex) => {
    const functionMap = functions.maps[resultIndex], pathMap = pathMaps[resultIndex];
    const to = start[index];
    for (let step = 0; step < result.frames[at]; step++) {
      const id = result.frameFunction[frame + step];
      frameFunction[to + step] = id >= 0 ? functionMap[id] : functions.bySymbol.get(index) ?? 0;
      framePath[to + step] = pathMap[result.framePath[frame + step]];
      frameLine[to + step] = result.frameLine[frame + step];
    }
  });
  return { everyFrameStart: start, frameFunction, framePath, frameLine };
}

function placeClaims(
  work: UnitWork,
  results: readonly UnitResults[],
  lineMaps: readonly Int32Array[],
  lineCount: number,
  universe: readonly [number, number],
): Pick<MergedParts, "claimStart" | "claimLine"> {
  const [from, to] = universe;
  const start = new Uint32Array(to - from + 1);
  // Two paths may lead to one file, so one line may have been claimed twice: it counts once.
  const claimedBy = new Int32Array(lineCount).fill(-1);
  eachAddress(work, results, (result, at, index, _frame, claim, resultIndex) => {
    if (index < from || index >= to) return;
    const map = lineMaps[resultIndex];
    let count = 0;
    for (let step = claim; step < claim + result.claims[at]; step++) {
      const line = map[result.claimLine[step]];
      if (claimedBy[line] !== index) count++;
      claimedBy[line] = index;
    }
    start[index - from + 1] = count;
  });
  for (let point = 0; point < to - from; point++) start[point + 1] += start[point];
  const claimLine = new Uint32Array(start[to - from]);
  claimedBy.fill(-1);
  eachAddress(work, results, (result, at, index, _frame, claim, resultIndex) => {
    if (index < from || index >= to) return;
    const map = lineMaps[resultIndex];
    let place = start[index - from];
    for (let step = claim; step < claim + result.claims[at]; step++) {
      const line = map[result.claimLine[step]];
      if (claimedBy[line] !== index) claimLine[place++] = line;
      claimedBy[line] = index;
    }
  });
  return { claimStart: start, claimLine };
}

/** The last line of each function: the highest that a frame of it has in its own file, not past the next function. */
function lastLines(
  functions: MergedFunctions,
  frames: Pick<MergedParts, "frameFunction" | "framePath" | "frameLine">,
  pathFile: Uint32Array,
): Uint32Array {
  const { file, line } = functions;
  const last = new Uint32Array(file.length);
  const { frameFunction, framePath, frameLine } = frames;
  for (let frame = 0; frame < frameFunction.length; frame++) {
    const id = frameFunction[frame];
    if (frameLine[frame] > last[id] && pathFile[framePath[frame]] === file[id]) {
      last[id] = frameLine[frame];
    }
  }
  // Functions are in the order of files and lines.
  for (let id = 0; id < last.length; id++) {
    if (line[id] === 0 || last[id] < line[id]) last[id] = 0;
    else if (file[id + 1] === file[id] && line[id + 1] > line[id] && last[id] >= line[id + 1]) {
      last[id] = line[id + 1] - 1;
    }
  }
  return last;
}
