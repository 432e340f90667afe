import { DW_UT_skeleton } from "../../dwarf/constants.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import { readUnitHeaders, type UnitHeader } from "../../dwarf/unit_headers.ts";
import { codeSections } from "../../elf/code_sections.ts";
import type { ElfFile } from "../../elf/elf_file.ts";
import { debugSections } from "../../kernel/image/debug_image.ts";
import type { ImageIndex } from "./image_index.ts";
import { ImageCode } from "../../elf/image_code.ts";
import { type ImagePoints, readImagePoints } from "../units/image_points.ts";
import { imageIndexOf, type IndexParts } from "./index_columns.ts";
import { mergeResults } from "./merge_results.ts";
import { offsetsFrom } from "./place_frames.ts";
import { readSymbolNames } from "../../elf/symbol_names.ts";
import { readUnitRanges } from "../units/unit_ranges.ts";
import { UnitReader } from "../units/unit_reader.ts";
import {
  doUnits,
  type UnitResults,
  unitsInOrder,
  type UnitWork,
  workByUnit,
} from "../units/unit_work.ts";

/** What is known of an image before its units are read. */
export interface IndexPlan {
  readonly points: ImagePoints;
  readonly headers: readonly UnitHeader[];
  /** The points of each unit. */
  readonly work: UnitWork;
  readonly problems: readonly string[];
}

/** Finds an image's points, units, and which points each unit has. */
export function planIndex(elf: ElfFile, sections: DwarfSections): IndexPlan {
  const problems: string[] = [];
  const points = readImagePoints(elf);
  const headers = readUnitHeaders(sections.info, problems);
  const split = splitUnits(sections, headers);
  if (split > 0) {
    problems.push(
      `the functions of ${split} units are in .dwo files, which are not read: build without CONFIG_DEBUG_INFO_SPLIT`,
    );
  }
  const ranges = readUnitRanges(sections, headers, problems);
  return { points, headers, work: workByUnit(points.address, ranges, headers.length), problems };
}

/** How many units have the most of their information elsewhere: before DWARF 5 only those have an address table. */
function splitUnits(sections: DwarfSections, headers: readonly UnitHeader[]): number {
  const hasAddresses = sections.bytes(".debug_addr").length > 0;
  return headers.filter(({ version, type }) =>
    type === DW_UT_skeleton || version < 5 && hasAddresses
  ).length;
}

/** Puts what the units gave together. */
export function finishIndex(
  elf: ElfFile,
  plan: IndexPlan,
  results: readonly UnitResults[],
): IndexParts {
  const { points } = plan;
  const symbols = readSymbolNames(elf, points.base);
  const allPointOffsets = offsetsFrom(points.address, points.base);
  const universe = [points.universeStart, points.universeEnd] as const;
  return {
    buildId: elf.buildId,
    machine: elf.header.machine.name,
    base: points.base,
    callLength: points.callLength,
    sections: elf.isModule
      ? codeSections(elf).map(({ name, address, size }) => ({ name, address, size }))
      : [],
    universeStart: points.universeStart,
    universeCount: points.universeEnd - points.universeStart,
    allPointOffsets,
    allPointUnknown: points.isTailCall,
    ...mergeResults(allPointOffsets, results, symbols, universe),
    symbols,
    problems: [...plan.problems, ...results.flatMap((result) => result.problems)],
  };
}

/**
 * Builds the index of an image in one pass and one thread.
 *
 * @param elf The kernel or module: its code and symbols.
 * @param sections Its debug sections; those of `elf` itself by default.
 * @throws {FormatError} Where the image itself cannot be read. Damage within its debug information costs the units
 * that it is in, which `problems` names.
 */
export function buildImageIndex(
  elf: ElfFile,
  sections: DwarfSections = debugSections(elf),
): ImageIndex {
  return imageIndexOf(buildIndexParts(elf, sections));
}

/** {@linkcode buildImageIndex}, as the parts that a cache file holds. */
export function buildIndexParts(elf: ElfFile, sections: DwarfSections): IndexParts {
  const plan = planIndex(elf, sections);
  const reader = new UnitReader(sections, plan.headers);
  const next = unitsInOrder(plan.headers);
  return finishIndex(elf, plan, [
    doUnits(reader, plan.points.address, plan.work, next, new ImageCode(elf)),
  ]);
}
