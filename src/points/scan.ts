import type { Address } from "../base/address.ts";
import type { CodeDecoder } from "../elf/code_decoder.ts";
import type { ElfFile } from "../elf/elf_file.ts";
import { RELA_SIZE } from "../elf/relocations.ts";
import type { ElfSection } from "../elf/sections.ts";

/**
 * The callbacks that compilers call at the start of basic blocks: of every block; of a function's first one, where it is
 * told apart (`-fsanitize-coverage=trace-pc-entry-exit`); and with a number for each block (`trace-pc-guard`), which
 * kernels that store each PC once need. That at a function's end, `__sanitizer_cov_trace_pc_exit`, is no point: it is in
 * a block that has one, and the kernel does not record it as a PC.
 */
const CALLBACKS = [
  "__sanitizer_cov_trace_pc",
  "__sanitizer_cov_trace_pc_entry",
  "__sanitizer_cov_trace_pc_guard",
];

/** The coverage points of one section of code. */
export interface SectionPoints {
  readonly section: ElfSection;
  /** The section's code. */
  readonly code: Uint8Array;
  /** Offsets of the calls from the section's start, ascending. */
  readonly offset: Uint32Array;
  /** 1 where the call is a tail call: its return address lies in another function. */
  readonly isTailCall: Uint8Array;
}

/**
 * Symbols of the callbacks: their own, and those of the linker's veneers for them (`____sanitizer_cov_trace_pc_veneer`),
 * which arm64 calls go through when a callback is out of reach.
 */
export function callbackSymbols(elf: ElfFile): number[] {
  return elf.symbols().indexesOf(...CALLBACKS, ...CALLBACKS.map((name) => `__${name}_veneer`));
}

/**
 * Finds all coverage points in one section: by its calls, or in a module by the relocations of its calls.
 *
 * @param callbacks symbols, as {@linkcode callbackSymbols} gives them
 */
export function scanSection(
  elf: ElfFile,
  section: ElfSection,
  callbacks: readonly number[] = callbackSymbols(elf),
): SectionPoints {
  const decoder = elf.header.machine.code;
  const code = elf.bytes(section);
  const calls: number[] = [], tails: number[] = [];
  if (elf.isModule) {
    scanRelocations(elf, section, code, decoder, callbacks, calls, tails);
  } else {
    for (const address of definedAddresses(elf, callbacks)) {
      decoder.scan(code, address - section.address, (offset, isTailCall) => {
        (isTailCall ? tails : calls).push(offset);
      });
    }
  }
  const offset = ascendingDistinct(calls, tails);
  const isTailCall = new Uint8Array(offset.length);
  if (tails.length > 0) {
    const jumps = new Set(tails);
    for (let index = 0; index < offset.length; index++) {
      if (jumps.has(offset[index])) isTailCall[index] = 1;
    }
  }
  return { section, code, offset, isTailCall };
}

/** A damaged module may relocate one call twice. */
function ascendingDistinct(calls: readonly number[], tails: readonly number[]): Uint32Array {
  const offset = new Uint32Array(calls.length + tails.length);
  offset.set(calls);
  offset.set(tails, calls.length);
  offset.sort();
  let count = 0;
  for (let index = 0; index < offset.length; index++) {
    if (index === 0 || offset[index] !== offset[index - 1]) offset[count++] = offset[index];
  }
  return offset.subarray(0, count);
}

/** A symbol may be listed twice, or only be referred to. */
function definedAddresses(elf: ElfFile, symbolIndexes: readonly number[]): Set<Address> {
  const { address, section } = elf.symbols();
  return new Set(
    symbolIndexes.filter((index) => section[index] !== 0).map((index) => address[index]),
  );
}

function scanRelocations(
  elf: ElfFile,
  section: ElfSection,
  code: Uint8Array,
  decoder: CodeDecoder,
  callbacks: readonly number[],
  calls: number[],
  tails: number[],
): void {
  const relocations = elf.relocationsOf(section);
  if (relocations === undefined) return;
  const bytes = elf.bytes(relocations);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + RELA_SIZE <= bytes.length; at += RELA_SIZE) {
    if (!callbacks.includes(view.getUint32(at + 12, true))) continue;
    const distance = decoder.callRelocations[view.getUint32(at + 8, true)];
    if (distance === undefined) continue;
    const offset = view.getUint32(at, true) + distance;
    if (offset < 0 || offset + decoder.callLength > code.length) continue;
    (decoder.isTailCall(code, offset) ? tails : calls).push(offset);
  }
}
