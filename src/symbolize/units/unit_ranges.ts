import { indexOfSorted } from "../../base/search.ts";
import { readAranges } from "../../dwarf/aranges.ts";
import * as dw from "../../dwarf/constants.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import { rangesOf } from "../../dwarf/ranges.ts";
import { Unit } from "../../dwarf/unit.ts";
import type { UnitHeader } from "../../dwarf/unit_headers.ts";
import { FormatError } from "../../errors.ts";

/** Bytes that hold a unit's root entry, unless a producer put very long strings into it. */
const ROOT_SIZE = 4096;

/** Which unit each address belongs to: disjoint ranges, ascending. */
export interface UnitRanges {
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Index of the unit. */
  readonly unit: Uint32Array;
}

/**
 * Finds the addresses of each unit: from `.debug_aranges`, and for units that it leaves out (clang writes none) from
 * their root entries.
 *
 * @param problems Takes one sentence for each part that could not be read.
 */
export function readUnitRanges(
  sections: DwarfSections,
  headers: readonly UnitHeader[],
  problems: string[],
): UnitRanges {
  const low: number[] = [], high: number[] = [], unit: number[] = [];
  const listed = new Uint8Array(headers.length);
  const offsets = Float64Array.from(headers, (header) => header.offset);
  try {
    readAranges(sections.bytes(".debug_aranges"), (offset, from, to) => {
      const index = indexOfSorted(offsets, offset);
      if (index < 0) return;
      listed[index] = 1;
      low.push(from);
      high.push(to);
      unit.push(index);
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.push(error.message);
  }
  headers.forEach((header, index) => {
    if (listed[index] === 1 || header.type === dw.DW_UT_type || header.type === dw.DW_UT_partial) {
      return;
    }
    try {
      const opened = openRoot(sections, header);
      rangesOf(opened, opened.root, (from, to) => {
        if (!(from < to)) return;
        low.push(from);
        high.push(to);
        unit.push(index);
      });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.push(error.message);
    }
  });
  return disjoint(low, high, unit);
}

/** Opens a unit to read its root only: reads few bytes first. */
export function openRoot(sections: DwarfSections, header: UnitHeader): Unit {
  const size = header.end - header.offset;
  if (size > ROOT_SIZE) {
    try {
      return new Unit(sections, header, sections.info.read(header.offset, ROOT_SIZE));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return new Unit(sections, header, sections.info.read(header.offset, size));
}

/**
 * Makes ranges disjoint. Where several units have an address, that of the range before it goes on if it has the
 * address too; otherwise the first in the file gets it, as in llvm-symbolizer.
 */
function disjoint(low: number[], high: number[], unit: number[]): UnitRanges {
  const order = low.map((_, index) => index).sort((a, b) => low[a] - low[b] || unit[a] - unit[b]);
  const lows: number[] = [], highs: number[] = [], units: number[] = [];
  /** Ranges that hold `position`. */
  let active: number[] = [];
  let next = 0, position = -Infinity;
  while (next < order.length || active.length > 0) {
    if (active.length === 0) position = low[order[next]];
    while (next < order.length && low[order[next]] <= position) active.push(order[next++]);
    // The stretch on which the same ranges are active, and the first of their units.
    let end = next < order.length ? low[order[next]] : Infinity;
    const last = units.length - 1;
    let first = Infinity, continues = false;
    for (const index of active) {
      if (high[index] < end) end = high[index];
      if (unit[index] < first) first = unit[index];
      if (last >= 0 && highs[last] === position && unit[index] === units[last]) continues = true;
    }
    if (continues) highs[last] = end;
    else {
      lows.push(position);
      highs.push(end);
      units.push(first);
    }
    if (active.length === 1 && high[active[0]] === end) active.length = 0;
    else active = active.filter((index) => high[index] > end);
    position = end;
  }
  return {
    low: Float64Array.from(lows),
    high: Float64Array.from(highs),
    unit: Uint32Array.from(units),
  };
}
