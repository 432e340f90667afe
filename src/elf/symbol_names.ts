import type { Address } from "../base/address.ts";
import { lowerBound, sortedOrder, upperBound } from "../base/search.ts";
import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  STT_FILE,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
} from "./constants.ts";
import type { ElfFile } from "./elf_file.ts";
import type { SymbolTable } from "./symbols.ts";
import { FormatError } from "../errors.ts";

/** Path and name of what is not known. */
export const UNKNOWN = "??";

/** No kernel's code spans as much; and what does not fit 32 bits cannot be sorted as numbers here. */
const LARGEST_SPAN = 0xffff_ffff;

/** The symbols of an image's code by address: what stands there by the linker's names (`foo.isra.0`). */
export interface SymbolNames {
  /** From the base that the table's user names; ascending, no two equal. */
  readonly address: Float64Array;
  /** Not past the end of its section; 0 where neither is known: it then reaches to the next. */
  readonly size: Float64Array;
  /** Name of symbol `index`. */
  nameAt(index: number): string;
  /** Base name of the source file of symbol `index` where that is known without debug information: of local symbols. */
  fileAt(index: number): string | undefined;
}

/**
 * The symbols of the image's code. Of several at one address the largest counts, and of those the last in the file, as
 * for llvm-symbolizer. One without a size reaches to the next or to the end of its section; one that is not within its
 * section, as the linker's mark of the end, names nothing.
 *
 * @param base subtracted from the addresses
 * @param wanted ascending addresses, where only the symbols that name those are needed: most need not be sorted then
 */
export function readSymbolNames(
  elf: ElfFile,
  base: Address,
  wanted?: ArrayLike<Address>,
): SymbolNames {
  const symbols = elf.symbols();
  const { isMark } = elf.header.machine;
  // Empty where a section holds no code, so that no symbol is within it.
  const start = new Float64Array(elf.sections.length), end = new Float64Array(start.length);
  for (const section of elf.sections) {
    const { index, flags } = section;
    if ((flags & SHF_ALLOC) === 0 || (flags & SHF_EXECINSTR) === 0) continue;
    start[index] = section.address;
    end[index] = section.address + section.size;
  }
  const picked = new Uint32Array(symbols.count);
  const keys = new Float64Array(symbols.count);
  let count = 0, least = Infinity, most = -Infinity;
  for (let index = 0; index < symbols.count; index++) {
    const type = symbols.type[index];
    if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_OBJECT) continue;
    const address = symbols.address[index], section = symbols.section[index];
    // False too where the number is of no section (`SHN_ABS`).
    if (!(address >= start[section] && address < end[section])) continue;
    if (symbols.name[index] === 0) continue;
    if (
      isMark !== undefined && type === STT_NOTYPE && symbols.isLocal[index] === 1 &&
      isMark(symbols.nameOf(index))
    ) continue;
    picked[count] = index;
    keys[count++] = address;
    if (address < least) least = address;
    if (address > most) most = address;
  }
  if (most - least > LARGEST_SPAN) {
    throw new FormatError("ELF", "symbols of code are spread too far to be true", {
      section: ".symtab",
    });
  }
  if (wanted !== undefined) count = keepLastBefore(picked, keys, count, wanted);
  for (let at = 0; at < count; at++) keys[at] -= least;
  const order = sortedOrder(keys.subarray(0, count));
  const kept = new Uint32Array(count);
  let last = -1;
  for (let at = 0; at < count; at++) {
    const index = picked[order[at]];
    if (last >= 0 && symbols.address[kept[last]] === symbols.address[index]) {
      if (symbols.size[index] >= symbols.size[kept[last]]) kept[last] = index;
    } else {
      kept[++last] = index;
    }
  }
  const address = new Float64Array(last + 1), size = new Float64Array(last + 1);
  for (let at = 0; at <= last; at++) {
    address[at] = symbols.address[kept[at]] - base;
    const room = end[symbols.section[kept[at]]] - symbols.address[kept[at]];
    size[at] = Math.min(symbols.size[kept[at]] || room, room);
  }
  let files: Int32Array | undefined;
  return {
    address,
    size,
    nameAt: (at) => symbols.nameOf(kept[at]),
    fileAt: (at) => {
      files ??= filesOfLocals(symbols);
      const file = files[kept[at]];
      return file < 0 ? undefined : symbols.nameOf(file);
    },
  };
}

/** Keeps, at the front, the symbols that are the last at or before one of the `wanted` addresses; returns how many. */
function keepLastBefore(
  picked: Uint32Array,
  keys: Float64Array,
  count: number,
  wanted: ArrayLike<Address>,
): number {
  const last = new Float64Array(wanted.length).fill(-Infinity);
  for (let at = 0; at < count; at++) {
    const next = lowerBound(wanted, keys[at]);
    if (next < last.length && keys[at] > last[next]) last[next] = keys[at];
  }
  let kept = 0;
  for (let at = 0; at < count; at++) {
    if (keys[at] !== last[lowerBound(wanted, keys[at])]) continue;
    picked[kept] = picked[at];
    keys[kept++] = keys[at];
  }
  return kept;
}

/** Index of the symbol that `address` lies in, or -1. */
export function symbolAt(symbols: SymbolNames, address: Address): number {
  const index = upperBound(symbols.address, address) - 1;
  if (index < 0) return -1;
  const size = symbols.size[index];
  return size !== 0 && address >= symbols.address[index] + size ? -1 : index;
}

/** Local symbols follow the `STT_FILE` symbol of the file that defines them: its index per symbol, or -1. */
function filesOfLocals(symbols: SymbolTable): Int32Array {
  const files = new Int32Array(symbols.count).fill(-1);
  let file = -1;
  for (let index = 0; index < symbols.count; index++) {
    if (symbols.type[index] === STT_FILE) file = symbols.name[index] === 0 ? -1 : index;
    else if (symbols.isLocal[index] === 1) files[index] = file;
  }
  return files;
}
