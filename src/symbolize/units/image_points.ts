import type { Address } from "../../base/address.ts";
import { upperBound } from "../../base/search.ts";
import type { CodeDecoder, Jump } from "../../elf/code_decoder.ts";
import { codeSections } from "../../elf/code_sections.ts";
import type { ElfFile } from "../../elf/elf_file.ts";
import { type ElfSection, runsOnce } from "../../elf/sections.ts";
import { FormatError } from "../../errors.ts";
import { callbackSymbols, scanSection } from "../../points/scan.ts";
import type { CodeReader } from "./function_flow.ts";

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

/** The code of an image. */
export class ImageCode implements CodeReader {
  readonly #decoder: CodeDecoder;
  readonly #starts: readonly Address[];
  readonly #parts: readonly { start: Address; section: ElfSection; thunks: readonly number[] }[];
  readonly #code: (Uint8Array | undefined)[] = [];
  readonly #elf: ElfFile;

  constructor(elf: ElfFile) {
    this.#elf = elf;
    this.#decoder = elf.header.machine.code;
    const symbols = elf.symbols();
    const { returnThunk } = this.#decoder;
    const thunks = returnThunk === undefined
      ? []
      : symbols.indexesOf(returnThunk).map((index) => symbols.address[index]);
    const sections = codeSections(elf).sort((a, b) => a.address - b.address);
    this.#starts = sections.map((section) => section.address);
    this.#parts = sections.map((section) => ({
      start: section.address,
      section,
      thunks: thunks.map((address) => address - section.address),
    }));
  }

  findJump(from: Address, limit: Address, jump: Jump): boolean {
    const index = upperBound(this.#starts, from) - 1;
    const part = this.#parts[index];
    if (part === undefined || from >= part.start + part.section.size) return false;
    const { start, thunks } = part;
    const code = this.#code[index] ??= this.#elf.bytes(part.section);
    this.#decoder.findJump(code, from - start, limit - start, thunks, jump);
    jump.end += start;
    if (jump.target >= 0) jump.target += start;
    return true;
  }

  isPadding(from: Address, limit: Address): boolean {
    const index = upperBound(this.#starts, from) - 1;
    const part = this.#parts[index];
    if (part === undefined) return false;
    const code = this.#code[index] ??= this.#elf.bytes(part.section);
    return this.#decoder.isPadding(code, from - part.start, limit - part.start);
  }

  callStart(address: Address): Address {
    const { callStart } = this.#decoder;
    if (callStart === undefined) return address;
    const index = upperBound(this.#starts, address) - 1;
    const part = this.#parts[index];
    if (part === undefined) return address;
    const code = this.#code[index] ??= this.#elf.bytes(part.section);
    return part.start + callStart(code, address - part.start);
  }
}
