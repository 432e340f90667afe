import type { Address } from "../base/address.ts";
import { sortedOrder, upperBound } from "../base/search.ts";
import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  STT_FILE,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
} from "../elf/constants.ts";
import type { ElfFile } from "../elf/elf_file.ts";
import type { SymbolTable } from "../elf/symbols.ts";

/** The symbols of an image's code by address: what stands there by the linker's names (`foo.isra.0`). */
export interface SymbolNames {
  /** From the base that the table's user names; ascending, no two equal. */
  readonly address: Float64Array;
  /** 0 where the symbol has no size: it then reaches to the next. */
  readonly size: Float64Array;
  /** Name of symbol `index`. */
  nameAt(index: number): string;
  /** Base name of the source file of symbol `index` where that is known without debug information: of local symbols. */
  fileAt(index: number): string | undefined;
}

/**
 * The symbols of the image's code. Of several at one address the largest counts, and of those the last in the file, as
 * for llvm-symbolizer.
 *
 * @param base subtracted from the addresses
 */
export function readSymbolNames(elf: ElfFile, base: Address): SymbolNames {
  const symbols = elf.symbols();
  const inCode = new Uint8Array(elf.sections.length);
  for (const { index, flags } of elf.sections) {
    if ((flags & SHF_ALLOC) !== 0 && (flags & SHF_EXECINSTR) !== 0) inCode[index] = 1;
  }
  const picked = new Uint32Array(symbols.count);
  const keys = new Float64Array(symbols.count);
  let count = 0, least = Infinity;
  for (let index = 0; index < symbols.count; index++) {
    const type = symbols.type[index];
    if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_OBJECT) continue;
    if (inCode[symbols.section[index]] !== 1 || symbols.name[index] === 0) continue;
    picked[count] = index;
    keys[count++] = symbols.address[index];
    least = Math.min(least, symbols.address[index]);
  }
  // Code spans less than 4 GiB, so differences fit sortable numbers.
  const order = sortedOrder(keys.subarray(0, count).map((address) => address - least));
  const kept = new Uint32Array(count);
  let last = -1;
  for (const at of order) {
    const index = picked[at];
    if (last >= 0 && symbols.address[kept[last]] === symbols.address[index]) {
      if (symbols.size[index] >= symbols.size[kept[last]]) kept[last] = index;
    } else {
      kept[++last] = index;
    }
  }
  const indexes = kept.subarray(0, last + 1);
  let files: Int32Array | undefined;
  return {
    address: Float64Array.from(indexes, (index) => symbols.address[index] - base),
    size: Float64Array.from(indexes, (index) => symbols.size[index]),
    nameAt: (at) => symbols.nameOf(indexes[at]),
    fileAt: (at) => {
      files ??= filesOfLocals(symbols);
      const file = files[indexes[at]];
      return file < 0 ? undefined : symbols.nameOf(file);
    },
  };
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
