import { BinaryReader, stringAt } from "../base/binary_reader.ts";
import type { Address } from "../base/address.ts";
import { FormatError } from "../errors.ts";
import { AbbrevTable } from "./abbrev.ts";
import * as dw from "./constants.ts";
import { Die } from "./die.ts";
import type { DwarfSections } from "./dwarf_sections.ts";
import type { UnitHeader } from "./unit_headers.ts";

/** One unit opened for reading: its bytes, abbreviations and the bases that its root entry names. */
export class Unit {
  readonly sections: DwarfSections;
  readonly header: UnitHeader;
  /** The unit's bytes; index 0 is `header.offset`. */
  readonly bytes: Uint8Array;
  /** Reads them; every use sets its position first. */
  readonly reader: BinaryReader;
  readonly abbrevs: AbbrevTable;
  /** `DW_AT_comp_dir`; empty where absent. */
  readonly compDir: string;
  /** `DW_AT_low_pc` of the root, the base of its range lists; 0 where absent. */
  readonly lowPc: Address;
  /** Offset in `.debug_line`, or -1. */
  readonly stmtList: number;
  readonly #strOffsetsBase: number;
  readonly #addrBase: number;
  readonly #rnglistsBase: number;
  /** The root entry. */
  readonly root: Die;
  readonly #indexed = new Map<string, BinaryReader>();

  /**
   * @param bytes all bytes of the unit, its header included
   * @param abbrevs filled with the unit's table, so not in use for another unit
   * @throws {FormatError} where its abbreviations or root entry are damaged
   */
  constructor(
    sections: DwarfSections,
    header: UnitHeader,
    bytes: Uint8Array,
    abbrevs: AbbrevTable = new AbbrevTable(),
  ) {
    this.sections = sections;
    this.header = header;
    this.bytes = bytes;
    this.reader = new BinaryReader(bytes, {
      format: "DWARF",
      section: ".debug_info",
      base: header.offset,
    });
    this.abbrevs = abbrevs;
    abbrevs.read(
      sections.bytes(".debug_abbrev"),
      header.abbrevOffset,
      header.addressSize,
      header.offsetSize,
    );
    const root = new Die();
    this.readDie(header.dieOffset, root);
    this.root = root;
    const { offsetSize } = header;
    // Without a base attribute the contributions begin behind the first header of their section.
    const headerSize = offsetSize === 8 ? 16 : 8;
    this.#strOffsetsBase = root.strOffsetsBase >= 0 ? root.strOffsetsBase : headerSize;
    this.#addrBase = root.addrBase >= 0 ? root.addrBase : headerSize;
    this.#rnglistsBase = root.rnglistsBase >= 0 ? root.rnglistsBase : headerSize + 4;
    this.compDir = root.compDirForm === 0 ? "" : this.string(root.compDir, root.compDirForm);
    this.lowPc = root.lowPcForm === 0 ? 0 : this.address(root.lowPc, root.lowPcForm);
    this.stmtList = root.stmtList;
  }

  /** Reads the entry at an offset of `.debug_info` in this unit into `die`; false for a null entry. */
  readDie(offset: number, die: Die): boolean {
    const { header, reader } = this;
    reader.pos = offset - header.offset;
    const code = reader.uleb();
    if (code === 0) return false;
    if (!(code > 0 && code < this.abbrevs.size) || this.abbrevs.role[code] === 0) {
      throw reader.problem(`no abbreviation ${code}`, offset - header.offset);
    }
    die.read(reader, this.abbrevs, code, header.offset, header.offsetSize);
    return true;
  }

  /** The address that a value of an address form stands for. */
  address(value: number, form: number): Address {
    switch (form) {
      case dw.DW_FORM_addrx:
      case dw.DW_FORM_addrx1:
      case dw.DW_FORM_addrx2:
      case dw.DW_FORM_addrx3:
      case dw.DW_FORM_addrx4:
      case dw.DW_FORM_GNU_addr_index:
        return this.indexedAddress(value);
      default:
        return value;
    }
  }

  /** Entry `index` of this unit's part of `.debug_addr`. */
  indexedAddress(index: number): Address {
    return this.readerAt(".debug_addr", this.#addrBase + index * this.header.addressSize)
      .address();
  }

  /** The string that a value of a string form stands for. */
  string(value: number, form: number): string {
    const section = this.stringSection(form);
    if (section === ".debug_info") {
      return stringAt(this.bytes, value, "DWARF", section);
    }
    return stringAt(this.sections.bytes(section), this.stringOffset(value, form), "DWARF", section);
  }

  /** The section in which a string of that form lies. */
  stringSection(form: number): ".debug_info" | ".debug_str" | ".debug_line_str" {
    if (form === dw.DW_FORM_string) return ".debug_info";
    return form === dw.DW_FORM_line_strp ? ".debug_line_str" : ".debug_str";
  }

  /** Offset of the string in its section (in the unit's bytes for `.debug_info`). */
  stringOffset(value: number, form: number): number {
    switch (form) {
      case dw.DW_FORM_strp:
      case dw.DW_FORM_line_strp:
      case dw.DW_FORM_string:
        return value;
      case dw.DW_FORM_strx:
      case dw.DW_FORM_strx1:
      case dw.DW_FORM_strx2:
      case dw.DW_FORM_strx3:
      case dw.DW_FORM_strx4:
      case dw.DW_FORM_GNU_str_index: {
        const { offsetSize } = this.header;
        const reader = this.readerAt(
          ".debug_str_offsets",
          this.#strOffsetsBase + value * offsetSize,
        );
        return reader.offset(offsetSize);
      }
      default:
        throw new FormatError("DWARF", `DW_FORM 0x${form.toString(16)} is not a string`, {
          section: ".debug_info",
          offset: this.header.offset,
        });
    }
  }

  /** Where list `index` of this unit begins in `.debug_rnglists`. */
  rangeListOffset(index: number): number {
    const { offsetSize } = this.header;
    const reader = this.readerAt(".debug_rnglists", this.#rnglistsBase + index * offsetSize);
    return this.#rnglistsBase + reader.offset(offsetSize);
  }

  /** A reader over all of another section, at `offset`; one per section, so its position holds until the next call. */
  readerAt(section: string, offset: number): BinaryReader {
    let reader = this.#indexed.get(section);
    if (reader === undefined) {
      reader = new BinaryReader(this.sections.bytes(section), { format: "DWARF", section });
      this.#indexed.set(section, reader);
    }
    if (!(offset >= 0 && offset <= reader.end)) {
      throw new FormatError("DWARF", "offset is not in the section", { section, offset });
    }
    reader.pos = offset;
    return reader;
  }
}
