import { stringAt } from "../../base/binary_reader.ts";
import { TripleTable } from "../../base/triple_table.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";

/** Each distinct string once, by a dense id. */
export class StringTable {
  readonly strings: string[] = [];
  readonly #ids = new Map<string, number>();

  intern(text: string): number {
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.strings.length;
      this.strings.push(text);
      this.#ids.set(text, id);
    }
    return id;
  }
}

/** Sections that hold names; a name in neither of them is kept as it is. */
const SECTIONS = ["", ".debug_str", ".debug_line_str"] as const;

/**
 * Names by dense ids. Linkers store a string once per section, so its offset identifies it; strings are decoded when
 * all are known. A name at two places has two ids.
 */
export class NameTable {
  /** Offset and index of its section, or index in the other names and 0. */
  readonly #places: TripleTable;
  readonly #others = new StringTable();
  readonly #sections: DwarfSections;

  /** @param capacity Names to make room for. */
  constructor(sections: DwarfSections, capacity = 4096) {
    this.#places = new TripleTable(capacity);
    this.#sections = sections;
  }

  intern(text: string): number {
    return this.#places.intern(this.#others.intern(text), 0, 0);
  }

  /** @throws {FormatError} Where no string begins at that offset. */
  internAt(section: ".debug_str" | ".debug_line_str", offset: number): number {
    const bytes = this.#sections.bytes(section);
    // A section that ends with a zero ends every string in it.
    if (offset >= 0 && offset < bytes.length && bytes[bytes.length - 1] === 0) {
      return this.#places.intern(offset | 0, section === ".debug_str" ? 1 : 2, 0);
    }
    return this.intern(stringAt(bytes, offset, "DWARF", section));
  }

  /** All names by id. */
  strings(): string[] {
    const { a: offset, b: section, count } = this.#places;
    const readers = SECTIONS.map((name) => name === "" ? undefined : this.#reader(name));
    const strings: string[] = [];
    for (let id = 0; id < count; id++) {
      const read = readers[section[id]];
      strings.push(read === undefined ? this.#others.strings[offset[id]] : read(offset[id] >>> 0));
    }
    return strings;
  }

  /** Decodes a section as a whole where each byte of it is a character: its strings are then parts of one. */
  #reader(section: ".debug_str" | ".debug_line_str"): (offset: number) => string {
    let text: string | undefined;
    return (offset) => {
      const bytes = this.#sections.bytes(section);
      text ??= new TextDecoder().decode(bytes);
      return text.length === bytes.length
        ? text.slice(offset, text.indexOf("\0", offset))
        : stringAt(bytes, offset, "DWARF", section);
    };
  }
}
