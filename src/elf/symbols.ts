import type { Address } from "../base/address.ts";
import { addressFromHalves } from "../base/address.ts";
import { stringAt } from "../base/binary_reader.ts";
import { FormatError } from "../errors.ts";
import { SHN_LORESERVE, SHN_UNDEF, STB_LOCAL } from "./constants.ts";
import type { ElfSection } from "./sections.ts";

const SYM_SIZE = 24;
const SYM_WORDS = 6;
const latin1 = new TextDecoder("latin1");

/** A symbol table as columns, in the order of the file. */
export class SymbolTable {
  readonly count: number;
  /** Offset of the name in the string table. */
  readonly name: Uint32Array;
  /** The address: `st_value`, in a module plus the address of its section. */
  readonly address: Float64Array & ArrayLike<Address>;
  readonly size: Float64Array;
  /** `STT_FUNC` and so on. */
  readonly type: Uint8Array;
  /** 1 where only its own object file can name the symbol (`STB_LOCAL`). */
  readonly isLocal: Uint8Array;
  /** Section index; 0 for an undefined symbol. */
  readonly section: Uint16Array;
  readonly #strings: Uint8Array;

  /**
   * @param bytes of the symbol section
   * @param strings of its string section
   * @param sections of the file, to place a module's symbols; `undefined` where values are addresses already
   */
  constructor(
    bytes: Uint8Array,
    strings: Uint8Array,
    sections: readonly ElfSection[] | undefined,
  ) {
    if (bytes.length % SYM_SIZE !== 0) {
      throw new FormatError("ELF", "size is not a multiple of 24", {
        section: ".symtab",
        offset: bytes.length,
      });
    }
    const count = bytes.length / SYM_SIZE;
    // Words of a symbol: name; type, other and section; value and size, two words each.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, count * SYM_WORDS);
    this.count = count;
    this.name = new Uint32Array(count);
    this.address = new Float64Array(count);
    this.size = new Float64Array(count);
    this.type = new Uint8Array(count);
    this.isLocal = new Uint8Array(count);
    this.section = new Uint16Array(count);
    this.#strings = strings;
    for (let index = 0, at = 0; index < count; index++, at += SYM_WORDS) {
      const info = words[at + 1];
      const section = info >>> 16;
      this.name[index] = words[at];
      this.type[index] = info & 15;
      this.isLocal[index] = (info >>> 4 & 15) === STB_LOCAL ? 1 : 0;
      this.section[index] = section;
      let address = addressFromHalves(words[at + 2], words[at + 3]);
      if (sections !== undefined && section !== SHN_UNDEF && section < SHN_LORESERVE) {
        address += sections[section]?.address ?? 0;
      }
      this.address[index] = address;
      this.size[index] = words[at + 5] * 0x1_0000_0000 + words[at + 4];
    }
  }

  /** Name of the symbol at `index`. */
  nameOf(index: number): string {
    return stringAt(this.#strings, this.name[index], "ELF", ".strtab");
  }

  /**
   * Indexes of all symbols with one of the names, ascending. Without decoding every name: a name is found in the string
   * table, where it may also be the end of a longer one.
   */
  indexesOf(...names: readonly string[]): number[] {
    const text = latin1.decode(this.#strings);
    const offsets = new Set<number>();
    for (const name of names) {
      for (let at = text.indexOf(`${name}\0`); at >= 0; at = text.indexOf(`${name}\0`, at + 1)) {
        offsets.add(at);
      }
    }
    const found: number[] = [];
    if (offsets.size === 0) return found;
    const { name, count } = this;
    for (let index = 0; index < count; index++) if (offsets.has(name[index])) found.push(index);
    return found;
  }
}
