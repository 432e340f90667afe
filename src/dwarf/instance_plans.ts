import { grown } from "../base/grow.ts";
import type { AbbrevTable } from "./abbrev.ts";
import * as dw from "./constants.ts";

/** Of what a plan says: where it is, counted from the attributes' start, or -1 for what the entry has not. */
export const PLAN_LOW_PC = 0;
/** The distance of the end from the low address. */
export const PLAN_HIGH_PC = 1;
/** An offset in `.debug_rnglists`. */
export const PLAN_RANGES = 2;
export const PLAN_ORIGIN = 3;
export const PLAN_SIBLING = 4;
export const PLAN_CALL_FILE = 5;
export const PLAN_CALL_LINE = 6;
/** Bytes of the two numbers; 0 where they are the same for all entries, and are the place itself. */
export const PLAN_CALL_FILE_SIZE = 7;
export const PLAN_CALL_LINE_SIZE = 8;
const PLAN_LENGTH = 9;

const NOT_MADE = -2;
const NO_PLAN = -1;

/**
 * Plans for reading entries that stand for instances of functions which other entries describe: nearly all inlined calls
 * that GCC writes. Where their attributes have fixed sizes, what matters stands at fixed places.
 */
export class InstancePlans {
  /** The plans, one after another. */
  places = new Int32Array(256);
  #planOf = new Int32Array(256).fill(NOT_MADE);
  #end = 0;

  /** Drops all plans, for another table of abbreviations. */
  clear(codes: number): void {
    this.#planOf = grown(this.#planOf, codes);
    this.#planOf.fill(NOT_MADE, 0, codes);
    this.#end = 0;
  }

  /** Where the plan for entries of abbreviation `code` begins in `places`; -1 where there is none. */
  planOf(abbrevs: AbbrevTable, code: number): number {
    const known = this.#planOf[code];
    if (known !== NOT_MADE) return known;
    return this.#planOf[code] = abbrevs.fixedSize[code] < 0 ? NO_PLAN : this.#make(abbrevs, code);
  }

  #make(abbrevs: AbbrevTable, code: number): number {
    const plan = this.#end;
    const places = this.places = grown(this.places, plan + PLAN_LENGTH);
    places.fill(-1, plan, plan + PLAN_LENGTH);
    const end = abbrevs.endAttribute[code];
    let at = 0;
    for (let index = abbrevs.firstAttribute[code]; index < end; index++) {
      at += abbrevs.gap[index];
      const form = abbrevs.form[index];
      const size = abbrevs.sizeOfForm(form);
      const number = numberPlace(form, at, abbrevs.constant[index]);
      switch (abbrevs.attribute[index]) {
        case dw.DW_AT_low_pc:
          if (form !== dw.DW_FORM_addr) return NO_PLAN;
          places[plan + PLAN_LOW_PC] = at;
          break;
        case dw.DW_AT_high_pc:
          if (form !== dw.DW_FORM_data8) return NO_PLAN;
          places[plan + PLAN_HIGH_PC] = at;
          break;
        case dw.DW_AT_ranges:
          if (form !== dw.DW_FORM_sec_offset || size !== 4) return NO_PLAN;
          places[plan + PLAN_RANGES] = at;
          break;
        case dw.DW_AT_abstract_origin:
          if (form !== dw.DW_FORM_ref4) return NO_PLAN;
          places[plan + PLAN_ORIGIN] = at;
          break;
        case dw.DW_AT_sibling:
          if (form !== dw.DW_FORM_ref4) return NO_PLAN;
          places[plan + PLAN_SIBLING] = at;
          break;
        case dw.DW_AT_call_file:
          if (number < 0) return NO_PLAN;
          places[plan + PLAN_CALL_FILE] = number;
          places[plan + PLAN_CALL_FILE_SIZE] = size;
          break;
        case dw.DW_AT_call_line:
          if (number < 0) return NO_PLAN;
          places[plan + PLAN_CALL_LINE] = number;
          places[plan + PLAN_CALL_LINE_SIZE] = size;
          break;
        // These say what the function is, in place of the entry that the origin leads to.
        case dw.DW_AT_name:
        case dw.DW_AT_linkage_name:
        case dw.DW_AT_MIPS_linkage_name:
        case dw.DW_AT_decl_file:
        case dw.DW_AT_decl_line:
          return NO_PLAN;
      }
      at += size;
    }
    const hasPcs = places[plan + PLAN_LOW_PC] >= 0 && places[plan + PLAN_HIGH_PC] >= 0;
    const hasRanges = places[plan + PLAN_RANGES] >= 0;
    if (hasPcs === hasRanges || places[plan + PLAN_ORIGIN] < 0) return NO_PLAN;
    this.#end = plan + PLAN_LENGTH;
    return plan;
  }
}

/** Where a number of one, two or four bytes is, or the number itself where it takes none; -1 for others. */
function numberPlace(form: number, at: number, constant: number): number {
  switch (form) {
    case dw.DW_FORM_data1:
    case dw.DW_FORM_data2:
    case dw.DW_FORM_data4:
      return at;
    case dw.DW_FORM_implicit_const:
      return constant >= 0 && constant <= 0x7fff_ffff ? constant : -1;
    default:
      return -1;
  }
}
