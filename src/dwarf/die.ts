import type { BinaryReader } from "../base/binary_reader.ts";
import type { AbbrevTable } from "./abbrev.ts";
import * as dw from "./constants.ts";
import { skipForm } from "./forms.ts";

/**
 * The attributes of one entry that matter here, as the file has them: a number and its form (0 where the attribute
 * is absent). One object is reused for many entries. References are offsets in `.debug_info`, or -1 where they lead to
 * another file. What an index means depends on the unit's bases, so {@linkcode Unit} resolves it.
 */
export class Die {
  tag = 0;
  lowPc = 0;
  lowPcForm = 0;
  highPc = 0;
  highPcForm = 0;
  ranges = 0;
  rangesForm = 0;
  name = 0;
  nameForm = 0;
  linkageName = 0;
  linkageNameForm = 0;
  compDir = 0;
  compDirForm = 0;
  /** -1 where absent, in these and the following. */
  sibling = -1;
  origin = -1;
  specification = -1;
  declFile = -1;
  declLine = -1;
  callFile = -1;
  callLine = -1;
  stmtList = -1;
  strOffsetsBase = -1;
  addrBase = -1;
  rnglistsBase = -1;
  /** Whether there is a `DW_AT_type`: of a function, whether it returns a value. */
  hasType = false;

  #form = 0;

  /** Reads the attributes of an entry whose code has been read; `reader` then stands behind them. */
  read(
    reader: BinaryReader,
    abbrevs: AbbrevTable,
    code: number,
    unitOffset: number,
    offsetSize: number,
  ): void {
    this.#clear();
    this.tag = abbrevs.tag[code];
    this.hasType = abbrevs.hasType[code] === 1;
    const end = abbrevs.endAttribute[code];
    for (let index = abbrevs.firstAttribute[code]; index < end; index++) {
      reader.skip(abbrevs.gap[index]);
      const value = this.#value(
        reader,
        abbrevs,
        abbrevs.form[index],
        abbrevs.constant[index],
        unitOffset,
        offsetSize,
      );
      switch (abbrevs.attribute[index]) {
        case dw.DW_AT_low_pc:
          this.lowPc = value;
          this.lowPcForm = this.#form;
          break;
        case dw.DW_AT_high_pc:
          this.highPc = value;
          this.highPcForm = this.#form;
          break;
        case dw.DW_AT_ranges:
          this.ranges = value;
          this.rangesForm = this.#form;
          break;
        case dw.DW_AT_name:
          this.name = value;
          this.nameForm = this.#form;
          break;
        case dw.DW_AT_linkage_name:
        case dw.DW_AT_MIPS_linkage_name:
          this.linkageName = value;
          this.linkageNameForm = this.#form;
          break;
        case dw.DW_AT_comp_dir:
          this.compDir = value;
          this.compDirForm = this.#form;
          break;
        case dw.DW_AT_sibling:
          this.sibling = value;
          break;
        case dw.DW_AT_abstract_origin:
          this.origin = value;
          break;
        case dw.DW_AT_specification:
          this.specification = value;
          break;
        case dw.DW_AT_decl_file:
          this.declFile = value;
          break;
        case dw.DW_AT_decl_line:
          this.declLine = value;
          break;
        case dw.DW_AT_call_file:
          this.callFile = value;
          break;
        case dw.DW_AT_call_line:
          this.callLine = value;
          break;
        case dw.DW_AT_stmt_list:
          this.stmtList = value;
          break;
        case dw.DW_AT_str_offsets_base:
          this.strOffsetsBase = value;
          break;
        case dw.DW_AT_addr_base:
          this.addrBase = value;
          break;
        case dw.DW_AT_rnglists_base:
          this.rnglistsBase = value;
          break;
      }
    }
    reader.skip(abbrevs.tail[code]);
  }

  #clear(): void {
    this.lowPcForm = 0;
    this.highPcForm = 0;
    this.rangesForm = 0;
    this.nameForm = 0;
    this.linkageNameForm = 0;
    this.compDirForm = 0;
    this.sibling = -1;
    this.origin = -1;
    this.specification = -1;
    this.declFile = -1;
    this.declLine = -1;
    this.callFile = -1;
    this.callLine = -1;
    this.stmtList = -1;
    this.strOffsetsBase = -1;
    this.addrBase = -1;
    this.rnglistsBase = -1;
  }

  /** Reads one value as a number and leaves its form, of an indirect one the true form, in `#form`. */
  #value(
    reader: BinaryReader,
    abbrevs: AbbrevTable,
    form: number,
    constant: number,
    unitOffset: number,
    offsetSize: number,
  ): number {
    this.#form = form;
    const size = abbrevs.sizeOfForm(form);
    if (size >= 0 && size <= 8 && !isForeign(form)) {
      if (size === 0) return form === dw.DW_FORM_implicit_const ? constant : 1;
      if (size === 8) {
        if (form === dw.DW_FORM_addr || form === dw.DW_FORM_data8) return reader.address();
        return form === dw.DW_FORM_ref8 ? unitOffset + reader.u64() : reader.u64();
      }
      const at = reader.take(size), { bytes } = reader;
      let value = bytes[at];
      if (size > 1) value |= bytes[at + 1] << 8;
      if (size > 2) value |= bytes[at + 2] << 16;
      if (size > 3) value = (value | bytes[at + 3] << 24) >>> 0;
      return form >= dw.DW_FORM_ref1 && form <= dw.DW_FORM_ref4 ? unitOffset + value : value;
    }
    switch (form) {
      case dw.DW_FORM_udata:
      case dw.DW_FORM_strx:
      case dw.DW_FORM_addrx:
      case dw.DW_FORM_rnglistx:
      case dw.DW_FORM_GNU_addr_index:
      case dw.DW_FORM_GNU_str_index:
        return reader.uleb();
      case dw.DW_FORM_ref_udata:
        return unitOffset + reader.uleb();
      case dw.DW_FORM_sdata:
        return reader.sleb();
      case dw.DW_FORM_string: {
        const at = reader.pos;
        reader.skipCString();
        return at;
      }
      case dw.DW_FORM_indirect: {
        const inner = reader.uleb();
        if (inner === dw.DW_FORM_indirect || inner === dw.DW_FORM_implicit_const) {
          throw reader.problem("DW_FORM_indirect leads to itself");
        }
        return this.#value(reader, abbrevs, inner, constant, unitOffset, offsetSize);
      }
      default:
        // A block, a reference to another file, or a form that no producer uses here: known by size only.
        skipForm(reader, form, 8, offsetSize);
        this.#form = 0;
        return -1;
    }
  }
}

/** Whether values of the form, of fixed size, lead to another file. */
function isForeign(form: number): boolean {
  switch (form) {
    case dw.DW_FORM_ref_sup4:
    case dw.DW_FORM_ref_sup8:
    case dw.DW_FORM_ref_sig8:
    case dw.DW_FORM_strp_sup:
    case dw.DW_FORM_GNU_ref_alt:
    case dw.DW_FORM_GNU_strp_alt:
      return true;
    default:
      return false;
  }
}
