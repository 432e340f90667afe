import type { Unit } from "../../dwarf/unit.ts";
import { symbolAt, type SymbolNames } from "../../elf/symbol_names.ts";
import { OpenImage } from "../../kernel/image/open_image.ts";
import { ImageCode } from "../../elf/image_code.ts";
import { UnitReader } from "../units/unit_reader.ts";
import { openRoot } from "../units/unit_ranges.ts";
import { doUnits, type UnitResults } from "../units/unit_work.ts";
import { finishIndex, type IndexPlan, planIndex } from "./build_image_index.ts";
import {
  cachedImageIndex,
  fingerprintOf,
  folderOf,
  type LoadIndexOptions,
} from "./cached_index.ts";
import type { ImageIndex } from "./image_index.ts";
import { imageIndexOf } from "./index_columns.ts";
import { writeCachedIndex } from "./write_cached_index.ts";

/** The index of an image that differs from another in some units. */
export interface CarriedIndex {
  /** The other image's. */
  readonly before: ImageIndex;
  readonly index: ImageIndex;
  /** For each point of the other image its number in this one, both in `allPointOffsets`; -1 where it is not there. */
  readonly pointMap: Int32Array;
}

/** The parts of a unit that lie in different sections move apart. */
const MOST_PARTS = 8;

/**
 * Makes the index of an image from that of another, of which only some units were compiled anew: what is known of the
 * others is carried over. It goes into the cache.
 *
 * @param changed sources of the units that differ, as their debug information names them; `all` where that is not known
 * @returns `undefined` where the other image's index is not in the cache, or the images have different units
 * @throws {FormatError} Where an image is damaged.
 */
export function carryIndex(
  oldPath: string,
  newPath: string,
  changed: ReadonlySet<string> | "all",
  options: LoadIndexOptions = {},
): CarriedIndex | undefined {
  using oldImage = new OpenImage(oldPath);
  using newImage = new OpenImage(newPath);
  const oldIndex = cachedImageIndex(oldImage, options);
  if (oldIndex === undefined) return undefined;
  const before = planIndex(oldImage.elf, oldImage.sections());
  const sections = newImage.sections();
  const after = planIndex(newImage.elf, sections);
  if (before.headers.length !== after.headers.length) return undefined;
  const pointMap = new Int32Array(before.points.address.length).fill(-1);
  const fresh: number[] = [];
  const folders = new Set<string>();
  const oldSections = oldImage.sections();
  for (const [unit, header] of after.headers.entries()) {
    folders.add(openRoot(oldSections, before.headers[unit]).compDir);
    const isChanged = changed === "all" || changed.has(nameOf(openRoot(sections, header)));
    if (isChanged || !mapUnit(unit, before, after, pointMap)) fresh.push(unit);
  }
  const carried = carriedResults(oldIndex, pointMap, changed, [...folders]);
  let next = 0;
  const results = doUnits(
    new UnitReader(sections, after.headers),
    after.points.address,
    after.work,
    () => next < fresh.length ? fresh[next++] : -1,
    new ImageCode(newImage.elf),
  );
  const parts = finishIndex(newImage.elf, after, [carried, results]);
  for (const unit of fresh) {
    mapFunctions(unit, before, after, oldIndex.symbols, parts.symbols, pointMap);
  }
  const folder = folderOf(options);
  if (folder !== null) writeCachedIndex(folder, parts, fingerprintOf(newImage));
  return { before: oldIndex, index: imageIndexOf(parts), pointMap };
}

function nameOf(unit: Unit): string {
  const { name, nameForm } = unit.root;
  return nameForm === 0 ? "" : unit.string(name, nameForm);
}

function pointsOf({ work }: IndexPlan, unit: number): Uint32Array {
  return work.order.subarray(work.start[unit], work.start[unit + 1]);
}

/** Maps the points of a unit that has not changed; false where it has. */
function mapUnit(
  unit: number,
  before: IndexPlan,
  after: IndexPlan,
  pointMap: Int32Array,
): boolean {
  const from = pointsOf(before, unit), to = pointsOf(after, unit);
  if (from.length !== to.length) return false;
  let parts = 0, shift = NaN;
  for (let at = 0; at < from.length; at++) {
    const moved = after.points.address[to[at]] - before.points.address[from[at]];
    if (moved === shift) continue;
    shift = moved;
    if (++parts > MOST_PARTS) return false;
  }
  for (let at = 0; at < from.length; at++) pointMap[from[at]] = to[at];
  return true;
}

/** Maps the points of those functions of a changed unit whose code has its points at the same places. */
function mapFunctions(
  unit: number,
  before: IndexPlan,
  after: IndexPlan,
  oldSymbols: SymbolNames,
  newSymbols: SymbolNames,
  pointMap: Int32Array,
): void {
  const target = functionPoints(pointsOf(after, unit), after, newSymbols);
  for (const [name, from] of functionPoints(pointsOf(before, unit), before, oldSymbols)) {
    const to = target.get(name);
    if (to === undefined || from.places.length !== to.places.length) continue;
    if (from.places.some((place, at) => place !== to.places[at])) continue;
    from.points.forEach((point, at) => pointMap[point] = to.points[at]);
  }
}

interface FunctionPoints {
  readonly points: number[];
  /** Of the points, from the function's start. */
  readonly places: number[];
}

function functionPoints(
  points: Uint32Array,
  { points: { address, base } }: IndexPlan,
  symbols: SymbolNames,
): Map<string, FunctionPoints> {
  const found = new Map<string, FunctionPoints>();
  for (const point of points) {
    const symbol = symbolAt(symbols, address[point] - base);
    if (symbol < 0) continue;
    const name = symbols.nameAt(symbol);
    let own = found.get(name);
    if (own === undefined) found.set(name, own = { points: [], places: [] });
    own.points.push(point);
    own.places.push(address[point] - base - symbols.address[symbol]);
  }
  return found;
}

/** What an index knows of the points that are in another image too, as if its units had just been read. */
function carriedResults(
  index: ImageIndex,
  pointMap: Int32Array,
  changed: ReadonlySet<string> | "all",
  folders: readonly string[],
): UnitResults {
  const points: number[] = [];
  let frameCount = 0, claimCount = 0;
  for (let point = 0; point < pointMap.length; point++) {
    if (pointMap[point] < 0) continue;
    points.push(point);
    frameCount += index.allFrameStart[point + 1] - index.allFrameStart[point];
    claimCount += claimsOf(index, point).length;
  }
  const frames = new Int32Array(points.length), claims = new Int32Array(points.length);
  const frameFunction = new Int32Array(frameCount), framePath = new Int32Array(frameCount);
  const frameLine = new Int32Array(frameCount), claimLine = new Int32Array(claimCount);
  let frame = 0, claim = 0;
  for (const [at, point] of points.entries()) {
    const start = index.allFrameStart[point], end = index.allFrameStart[point + 1];
    frames[at] = end - start;
    for (let from = start; from < end; from++, frame++) {
      frameFunction[frame] = index.frameFunction[from];
      framePath[frame] = index.framePath[from];
      frameLine[frame] = index.frameLine[from];
    }
    const lines = claimsOf(index, point);
    claims[at] = lines.length;
    claimLine.set(lines, claim);
    claim += lines.length;
  }
  const pathOfFile = new Int32Array(index.files.length);
  index.pathFile.forEach((file, path) => pathOfFile[file] = path);
  // Of a changed source only what other units have of it too is still there.
  const isLeft = (file: number): boolean => changed !== "all" && !changed.has(index.files[file]);
  const functions = renumber(frameFunction, index.functionFile, isLeft);
  const lines = renumber(claimLine, index.lineFile, isLeft);
  const names = functions.flatMap((id) => {
    const name = index.functionName[id];
    return [name, index.linkageName.get(id) ?? name];
  });
  return {
    addresses: Uint32Array.from(points, (point) => pointMap[point]),
    frames,
    claims,
    frameFunction,
    framePath,
    frameLine,
    claimLine,
    names,
    paths: index.paths,
    functionName: Int32Array.from(functions, (_, at) => 2 * at),
    functionPath: Int32Array.from(functions, (id) => pathOfFile[index.functionFile[id]]),
    functionLine: Int32Array.from(functions, (id) => index.functionLine[id]),
    functionLinkage: Int32Array.from(
      functions,
      (id, at) => index.linkageName.has(id) ? 2 * at + 1 : 2 * at,
    ),
    linePath: Int32Array.from(lines, (line) => pathOfFile[index.lineFile[line]]),
    lineNumber: Int32Array.from(lines, (line) => index.lineNumber[line]),
    folders,
    problems: index.problems,
  };
}

/**
 * Numbers the things that a column names, and those of the files that are left, from 0 on, in the column itself; gives
 * their old numbers.
 *
 * @param files the file of each thing
 */
function renumber(
  column: Int32Array,
  files: ArrayLike<number>,
  isLeft: (file: number) => boolean,
): number[] {
  const numbers = new Int32Array(files.length).fill(-1);
  for (let at = 0; at < column.length; at++) if (column[at] >= 0) numbers[column[at]] = 0;
  const kept: number[] = [];
  for (let old = 0; old < numbers.length; old++) {
    if (numbers[old] === 0 || isLeft(files[old])) numbers[old] = kept.push(old) - 1;
  }
  for (let at = 0; at < column.length; at++) if (column[at] >= 0) column[at] = numbers[column[at]];
  return kept;
}

function claimsOf(index: ImageIndex, point: number): Uint32Array {
  const own = point - index.universeStart;
  if (own < 0 || own >= index.pointOffset.length) return index.claimLine.subarray(0, 0);
  return index.claimLine.subarray(index.claimStart[own], index.claimStart[own + 1]);
}
