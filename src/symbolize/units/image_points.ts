import type { Address } from "../../base/address.ts";
import { codeSections } from "../../elf/code_sections.ts";
import type { ElfFile } from "../../elf/elf_file.ts";
import { runsOnce } from "../../elf/sections.ts";
import { FormatError } from "../../errors.ts";
import { callbackSymbols, scanSection } from "../../points/scan.ts";

/** All coverage points of an image. */
export interface ImagePoints {
  /** Address of `.text`; 0 in a module. */
  readonly base: Address;
  /** Bytes from a call to its return address. */
  readonly callLength: number;
  /** Addresses of the calls in all code, ascending. */
  readonly address: Float64Array;
  readonly isTailCall: Uint8Array;
  /** The part of the columns that lies in `.text`, of a module in all its code that can run again: the universe. */
  readonly universeStart: number;
  readonly universeEnd: number;
}

/** Finds the coverage points of an image. */
export function readImagePoints(elf: ElfFile): ImagePoints {
  const callbacks = callbackSymbols(elf);
  const scanned = codeSections(elf).map((section) => scanSection(elf, section, callbacks));
  scanned.sort((a, b) => a.section.address - b.section.address);
  const total = scanned.reduce((sum, points) => sum + points.offset.length, 0);
  const address = new Float64Array(total);
  const isTailCall = new Uint8Array(total);
  let count = 0, base = 0, universeStart = 0, universeEnd = 0;
  for (const points of scanned) {
    const { section } = points;
    if (elf.isModule ? !runsOnce(section.name) : section.name === ".text") {
      // Those of a module that are counted follow each other, from 0.
      if (!elf.isModule) base = section.address;
      if (universeEnd === 0) universeStart = count;
      universeEnd = count + points.offset.length;
    }
    isTailCall.set(points.isTailCall, count);
    const { offset } = points;
    if (count > 0 && offset.length > 0 && section.address + offset[0] <= address[count - 1]) {
      throw new FormatError("ELF", "sections of code overlap: use a whole file", {
        section: section.name,
      });
    }
    for (let at = 0; at < offset.length; at++) address[count++] = section.address + offset[at];
  }
  const { callLength } = elf.header.machine.code;
  return { base, callLength, address, isTailCall, universeStart, universeEnd };
}
