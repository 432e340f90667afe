import type { Address } from "../base/address.ts";
import { sortedOrder, upperBound } from "../base/search.ts";
import { SHF_ALLOC, STT_FUNC, STT_NOTYPE, STT_OBJECT } from "../elf/constants.ts";
import type { ElfFile } from "../elf/elf_file.ts";

/** The symbols of an image by address, as columns: what stands in its code, by the linker's names (`foo.isra.0`). */
export interface SymbolNames {
  /** Ascending; no two are equal. */
  readonly address: Float64Array;
  /** 0 where the symbol has no size: it then reaches to the next. */
  readonly size: Float64Array;
  readonly name: readonly string[];
}

/**
 * The symbols of the image's code. Of several at one address the largest counts, and of those the last in the file, as
 * for llvm-symbolizer.
 */
export function readSymbolNames(elf: ElfFile): SymbolNames {
  const symbols = elf.symbols();
  const { sections } = elf;
  const picked: number[] = [];
  for (let index = 0; index < symbols.count; index++) {
    const type = symbols.type[index];
    if (type !== STT_FUNC && type !== STT_NOTYPE && type !== STT_OBJECT) continue;
    const section = sections[symbols.section[index]];
    if (section === undefined || section.index === 0) continue;
    if ((section.flags & SHF_ALLOC) === 0 || symbols.name[index] === 0) continue;
    const offset = symbols.address[index] - section.address;
    if (offset < 0 || offset > section.size) continue;
    picked.push(index);
  }
  const order = addressOrder(picked.map((index) => symbols.address[index]));
  const kept: number[] = [];
  for (const at of order) {
    const index = picked[at];
    const last = kept.length - 1;
    if (last >= 0 && symbols.address[kept[last]] === symbols.address[index]) {
      if (symbols.size[index] >= symbols.size[kept[last]]) kept[last] = index;
    } else {
      kept.push(index);
    }
  }
  return {
    address: Float64Array.from(kept, (index) => symbols.address[index]),
    size: Float64Array.from(kept, (index) => symbols.size[index]),
    name: kept.map((index) => symbols.nameOf(index)),
  };
}

/** Index of the symbol that `address` lies in, or -1. */
export function symbolAt(symbols: SymbolNames, address: Address): number {
  const index = upperBound(symbols.address, address) - 1;
  if (index < 0) return -1;
  const size = symbols.size[index];
  return size !== 0 && address >= symbols.address[index] + size ? -1 : index;
}

/** Order of addresses that may span more than 4 GiB (per-CPU symbols begin at 0). */
function addressOrder(addresses: number[]): ArrayLike<number> & Iterable<number> {
  let least = Infinity, most = -Infinity;
  for (const address of addresses) {
    least = Math.min(least, address);
    most = Math.max(most, address);
  }
  if (most - least < 0x1_0000_0000) {
    return sortedOrder(Float64Array.from(addresses, (address) => address - least));
  }
  return addresses.map((_, index) => index).sort((a, b) => addresses[a] - addresses[b] || a - b);
}
