import type { Address } from "../base/address.ts";
import { upperBound } from "../base/search.ts";
import type { CodeDecoder, CodeReader, Jump } from "./code_decoder.ts";
import { codeSections } from "./code_sections.ts";
import type { ElfFile } from "./elf_file.ts";
import type { ElfSection } from "./sections.ts";

/** A section of code; its bytes are read when first asked for. */
interface CodePart {
  readonly section: ElfSection;
  readonly start: Address;
  readonly end: Address;
  /** Offsets of what returns jump to. */
  readonly thunks: readonly number[];
  code: Uint8Array | undefined;
}

/** The code of an image, by address. */
export class ImageCode implements CodeReader {
  readonly #elf: ElfFile;
  readonly #decoder: CodeDecoder;
  readonly #parts: readonly CodePart[];
  readonly #starts: readonly Address[];
  /** The part that was asked for last: what is asked for next is near. */
  #part: CodePart | undefined;

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
      section,
      start: section.address,
      end: section.address + section.size,
      thunks: thunks.map((address) => address - section.address),
      code: undefined,
    }));
  }

  findJump(from: Address, limit: Address, jump: Jump): boolean {
    const part = this.#partAt(from);
    if (part === undefined) return false;
    const { start, thunks } = part;
    const { calls } = jump;
    const before = calls?.length ?? 0;
    this.#decoder.findJump(this.#codeOf(part), from - start, limit - start, thunks, jump);
    jump.end += start;
    if (jump.target >= 0) jump.target += start;
    if (calls !== undefined) moveCalls(calls, before, start);
    return true;
  }

  isPadding(from: Address, limit: Address): boolean {
    const part = this.#partAt(from);
    if (part === undefined) return false;
    return this.#decoder.isPadding(this.#codeOf(part), from - part.start, limit - part.start);
  }

  callStart(address: Address): Address {
    const { callStart } = this.#decoder;
    const part = callStart === undefined ? undefined : this.#partAt(address);
    if (callStart === undefined || part === undefined) return address;
    return part.start + callStart(this.#codeOf(part), address - part.start);
  }

  #partAt(address: Address): CodePart | undefined {
    let part = this.#part;
    if (part === undefined || address < part.start || address >= part.end) {
      part = this.#part = this.#parts[upperBound(this.#starts, address) - 1];
    }
    return part !== undefined && address < part.end ? part : undefined;
  }

  #codeOf(part: CodePart): Uint8Array {
    return part.code ??= this.#elf.bytes(part.section);
  }
}

/** Turns offsets into addresses. */
function moveCalls(calls: number[], from: number, start: Address): void {
  for (let at = from; at < calls.length; at += 2) {
    calls[at] += start;
    if (calls[at + 1] !== -1) calls[at + 1] += start;
  }
}
