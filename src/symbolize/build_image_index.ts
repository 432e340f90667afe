import type { ElfFile } from "../elf/elf_file.ts";
import type { DwarfSections } from "../dwarf/dwarf_sections.ts";
import { readUnitHeaders } from "../dwarf/unit_headers.ts";
import { debugSections } from "./debug_image.ts";
import type { ImageIndex } from "./image_index.ts";
import { blockEnds, readImagePoints } from "./image_points.ts";
import { imageIndexOf } from "./index_columns.ts";
import { mergeResults } from "./merge_results.ts";
import { readSymbolNames, type SymbolNames } from "./symbol_names.ts";
import { UnitReader } from "./unit_reader.ts";
import { readUnitRanges } from "./unit_ranges.ts";
import { doUnits, unitsInOrder, workByUnit } from "./unit_work.ts";

/**
 * Builds the index of an image in one pass and one thread.
 *
 * @param elf the kernel or module: its code and symbols
 * @param sections its debug sections; those of `elf` itself by default
 * @throws {FormatError} where the image itself cannot be read. Damage within its debug information costs the units
 * that it is in, which `problems` names
 */
export function buildImageIndex(
  elf: ElfFile,
  sections: DwarfSections = debugSections(elf),
): ImageIndex {
  const problems: string[] = [];
  const points = readImagePoints(elf);
  const headers = readUnitHeaders(sections.info, problems);
  const ranges = readUnitRanges(sections, headers, problems);
  const work = workByUnit(points.address, ranges, headers.length);
  const reader = new UnitReader(sections, headers);
  const results = [doUnits(reader, points.address, work, unitsInOrder(headers), blockEnds(elf))];
  const symbols = readSymbolNames(elf);
  return imageIndexOf({
    buildId: elf.buildId,
    machine: elf.header.machine,
    base: points.base,
    callLength: points.callLength,
    universeStart: points.universeStart,
    universeCount: points.universeEnd - points.universeStart,
    everyOffset: Int32Array.from(points.address, (address) => address - points.base),
    everyUnknown: points.isTailCall,
    ...mergeResults(points.address, work, results, symbols, [
      points.universeStart,
      points.universeEnd,
    ]),
    symbols: relativeSymbols(symbols, points.base),
    problems: [...problems, ...results.flatMap((result) => result.problems)],
  });
}

function relativeSymbols(symbols: SymbolNames, base: number): SymbolNames {
  return { ...symbols, address: symbols.address.map((address) => address - base) };
}
