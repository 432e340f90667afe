import type { Address } from "../base/address.ts";
import { upperBound } from "../base/search.ts";
import type { ElfFile } from "../elf/elf_file.ts";
import { pointArchitecture } from "../points/arch.ts";
import { callbackSymbols, codeSections, scanSection } from "../points/scan.ts";
import type { BlockEnd } from "./unit_analyzer.ts";

/** All coverage points of an image. */
export interface ImagePoints {
  /** Address of `.text`. */
  readonly base: Address;
  /** Bytes from a call to its return address. */
  readonly callLength: number;
  /** Addresses of the calls in all code, ascending. */
  readonly address: Float64Array;
  readonly isTailCall: Uint8Array;
  /** The part of the columns that lies in `.text`: the universe. */
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
    if (section.name === ".text") {
      base = section.address;
      universeStart = count;
      universeEnd = count + points.offset.length;
    }
    isTailCall.set(points.isTailCall, count);
    const { offset } = points;
    for (let at = 0; at < offset.length; at++) address[count++] = section.address + offset[at];
  }
  const { callLength } = pointArchitecture(elf.header.machine);
  return { base, callLength, address, isTailCall, universeStart, universeEnd };
}

/** Finds where the block of code behind a point ends, by decoding the code up to its first jump or return. */
export function blockEnds(elf: ElfFile): BlockEnd {
  const architecture = pointArchitecture(elf.header.machine);
  const parts = codeSections(elf)
    .sort((a, b) => a.address - b.address)
    .map((section) => ({
      start: section.address,
      code: undefined as Uint8Array | undefined,
      section,
    }));
  const starts = parts.map((part) => part.start);
  return (address, limit) => {
    const part = parts[upperBound(starts, address) - 1];
    if (part === undefined) return limit;
    part.code ??= elf.bytes(part.section);
    const from = address - part.start + architecture.callLength;
    return part.start + architecture.blockEnd(part.code, from, limit - part.start);
  };
}
