import { TripleTable } from "../../base/triple_table.ts";
import type { IndexParts } from "./index_columns.ts";
import { mergeLines, placeClaims } from "./merge_lines.ts";
import { addressesWithoutFunction, placeFrames } from "./place_frames.ts";
import { filesOf } from "./source_paths.ts";
import { StringTable } from "../units/name_table.ts";
import { symbolAt, type SymbolNames, UNKNOWN } from "../../elf/symbol_names.ts";
import type { UnitResults } from "../units/unit_work.ts";

/** The part of {@linkcode IndexParts} that follows from the units. */
export type MergedParts = Pick<
  IndexParts,
  | "allFrameStart"
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
 * @param offsets Of all points, from the base that `symbols` counts from.
 * @param universe First and last + 1 point that claims lines.
 */
export function mergeResults(
  offsets: ArrayLike<number>,
  results: readonly UnitResults[],
  symbols: SymbolNames,
  universe: readonly [number, number],
): MergedParts {
  const paths = new StringTable();
  paths.intern(UNKNOWN);
  const pathMaps = results.map((result) => internAll(paths, result.paths));
  const { files, pathFile } = filesOf(paths.strings, results.flatMap((result) => result.folders));
  const functions = mergeFunctions(offsets, results, symbols, pathMaps, pathFile);
  const lines = mergeLines(results, pathMaps, pathFile, files.length);
  const { maps, bySymbol } = functions;
  const frames = placeFrames(offsets.length, results, pathMaps, maps, bySymbol);
  return {
    ...frames,
    ...placeClaims(results, lines, universe),
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

function internAll(table: StringTable, strings: readonly string[]): Int32Array {
  const ids = new Int32Array(strings.length);
  for (let index = 0; index < strings.length; index++) ids[index] = table.intern(strings[index]);
  return ids;
}

interface MergedFunctions {
  readonly name: readonly string[];
  readonly file: Uint32Array;
  readonly line: Uint32Array;
  readonly linkageName: ReadonlyMap<number, string>;
  /** Number of each result's functions. */
  readonly maps: readonly Int32Array[];
  /** Number of the function of an address whose frame is in none: named by the symbol. */
  readonly bySymbol: ReadonlyMap<number, number>;
}

function mergeFunctions(
  offsets: ArrayLike<number>,
  results: readonly UnitResults[],
  symbols: SymbolNames,
  pathMaps: readonly Int32Array[],
  pathFile: Uint32Array,
): MergedFunctions {
  const names = new StringTable();
  const table = new TripleTable(65536);
  const linkage = new Map<number, string>();
  const maps = results.map((result, at) => {
    const nameMap = internAll(names, result.names);
    const map = new Int32Array(result.functionName.length);
    for (let index = 0; index < map.length; index++) {
      const name = result.functionName[index], other = result.functionLinkage[index];
      const file = pathFile[pathMaps[at][result.functionPath[index]]];
      map[index] = table.intern(nameMap[name], file, result.functionLine[index]);
      if (other !== name && !linkage.has(map[index])) linkage.set(map[index], result.names[other]);
    }
    return map;
  });
  const bySymbol = new Map<number, number>();
  for (const index of addressesWithoutFunction(results)) {
    const symbol = symbolAt(symbols, offsets[index]);
    const name = names.intern(symbol < 0 ? UNKNOWN : symbols.nameAt(symbol));
    bySymbol.set(index, table.intern(name, pathFile[0], 0));
  }
  const order = functionOrder(table, names.strings, pathFile.length);
  const numbers = new Int32Array(table.count);
  for (let number = 0; number < order.length; number++) numbers[order[number]] = number;
  for (const map of maps) {
    for (let index = 0; index < map.length; index++) map[index] = numbers[map[index]];
  }
  for (const [index, id] of bySymbol) bySymbol.set(index, numbers[id]);
  const name: string[] = [];
  const file = new Uint32Array(order.length), line = new Uint32Array(order.length);
  for (let number = 0; number < order.length; number++) {
    const id = order[number];
    name.push(names.strings[table.a[id]]);
    file[number] = table.b[id];
    line[number] = table.c[id];
  }
  const linkageName = new Map([...linkage].map(([id, text]) => [numbers[id], text] as const));
  return { name, file, line, linkageName, maps, bySymbol };
}

/** Functions in the order of files, lines and names. */
function functionOrder(
  table: TripleTable,
  names: readonly string[],
  fileCount: number,
): Uint32Array {
  const { a: name, b: file, c: line, count } = table;
  const start = new Uint32Array(fileCount + 1);
  for (let id = 0; id < count; id++) start[file[id] + 1]++;
  for (let at = 0; at < fileCount; at++) start[at + 1] += start[at];
  const next = start.slice();
  const order = new Uint32Array(count);
  for (let id = 0; id < count; id++) order[next[file[id]]++] = id;
  for (let at = 0; at < fileCount; at++) {
    if (start[at + 1] - start[at] < 2) continue;
    order.subarray(start[at], start[at + 1]).sort((a, b) => {
      if (line[a] !== line[b]) return line[a] - line[b];
      return names[name[a]] < names[name[b]] ? -1 : 1;
    });
  }
  return order;
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
