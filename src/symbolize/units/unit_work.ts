import type { UnitRanges } from "./unit_ranges.ts";
import type { UnitHeader } from "../../dwarf/unit_headers.ts";
import type { CodeReader } from "../../elf/code_decoder.ts";
import { UnitAnalyzer } from "./unit_analyzer.ts";
import type { UnitReader } from "./unit_reader.ts";

/** Addresses by the unit that they belong to. */
export interface UnitWork {
  /** Indexes of addresses, unit by unit, ascending in each: those of unit `u` from `start[u]` to `start[u + 1]`. */
  readonly order: Uint32Array;
  readonly start: Uint32Array;
}

/** Finds the unit of each of the ascending `addresses`. Those in no unit are left out. */
export function workByUnit(
  addresses: Float64Array,
  ranges: UnitRanges,
  unitCount: number,
): UnitWork {
  const unitOf = new Int32Array(addresses.length);
  const start = new Uint32Array(unitCount + 1);
  let range = 0;
  for (let index = 0; index < addresses.length; index++) {
    const address = addresses[index];
    while (range < ranges.low.length && ranges.high[range] <= address) range++;
    const unit = range < ranges.low.length && ranges.low[range] <= address
      ? ranges.unit[range]
      : -1;
    unitOf[index] = unit;
    if (unit >= 0) start[unit + 1]++;
  }
  for (let unit = 0; unit < unitCount; unit++) start[unit + 1] += start[unit];
  const order = new Uint32Array(start[unitCount]);
  const next = start.slice();
  for (let index = 0; index < addresses.length; index++) {
    if (unitOf[index] >= 0) order[next[unitOf[index]]++] = index;
  }
  return { order, start };
}

/** What one thread found in the units that it did. Plain data: it can be sent to another thread. Columns may be views of larger ones. */
export interface UnitResults {
  /** Indexes of the addresses, in their order in the columns. */
  readonly addresses: Uint32Array;
  /** Frames per address; claims per address too, where claims were asked for. */
  readonly frames: Int32Array;
  readonly claims: Int32Array;
  /** Frames one after another; function -1 is none. */
  readonly frameFunction: Int32Array;
  readonly framePath: Int32Array;
  readonly frameLine: Int32Array;
  readonly claimLine: Int32Array;
  /** What the ids above stand for. */
  readonly names: readonly string[];
  readonly paths: readonly string[];
  readonly functionName: Int32Array;
  readonly functionPath: Int32Array;
  readonly functionLine: Int32Array;
  readonly functionLinkage: Int32Array;
  readonly linePath: Int32Array;
  readonly lineNumber: Int32Array;
  readonly folders: readonly string[];
  readonly problems: readonly string[];
}

/** Takes the next unit to do, or -1 where all are taken. */
export type NextUnit = () => number;

/** Does units until none is left. */
export function doUnits(
  reader: UnitReader,
  addresses: Float64Array,
  work: UnitWork,
  next: NextUnit,
  code?: CodeReader,
): UnitResults {
  const analyzer = new UnitAnalyzer(reader, addresses.length);
  const done = new Uint32Array(work.order.length);
  let count = 0;
  const problems: string[] = [];
  let local = new Float64Array(1024);
  for (let unit = next(); unit >= 0; unit = next()) {
    const own = work.order.subarray(work.start[unit], work.start[unit + 1]);
    if (own.length === 0) continue;
    if (local.length < own.length) local = new Float64Array(own.length * 2);
    for (let at = 0; at < own.length; at++) local[at] = addresses[own[at]];
    done.set(own, count);
    count += own.length;
    analyzer.analyze(unit, local.subarray(0, own.length), problems, code);
  }
  const { frames, claims, tables } = analyzer;
  const functions = tables.functions.count, lines = tables.lines.count;
  return {
    addresses: done.subarray(0, count),
    frames: frames.frames.subarray(0, frames.count),
    claims: claims.claims.subarray(0, claims.count),
    frameFunction: frames.frameFunction.subarray(0, frames.frameCount),
    framePath: frames.framePath.subarray(0, frames.frameCount),
    frameLine: frames.frameLine.subarray(0, frames.frameCount),
    claimLine: claims.claimLine.subarray(0, claims.claimCount),
    names: tables.names.strings(),
    paths: tables.paths.strings,
    functionName: tables.functions.a.subarray(0, functions),
    functionPath: tables.functions.b.subarray(0, functions),
    functionLine: tables.functions.c.subarray(0, functions),
    functionLinkage: Int32Array.from(tables.linkage),
    linePath: tables.lines.path.subarray(0, lines),
    lineNumber: tables.lines.line.subarray(0, lines),
    folders: tables.folders.strings,
    problems,
  };
}

/** Gives units one after another, larger ones not first: the order of the file is read fastest. */
export function unitsInOrder(headers: readonly UnitHeader[]): NextUnit {
  let next = 0;
  return () => next < headers.length ? next++ : -1;
}
