import { BinaryReader } from "../base/binary_reader.ts";
import { FormatError } from "../errors.ts";
import * as dw from "./constants.ts";
import { fixedFormSize } from "./forms.ts";

/** What a walk over a unit does with an entry; see {@linkcode AbbrevTable.role}. */
export const ROLE_UNKNOWN = 0;
/** No children, attributes of fixed size: one addition. */
export const ROLE_FIXED_LEAF = 1;
/** No children. */
export const ROLE_LEAF = 2;
/** Children that hold no code, and a `DW_AT_sibling` that leads past them. */
export const ROLE_SKIP = 3;
/** Children to walk. */
export const ROLE_SCOPE = 4;
/** A subprogram or inlined subroutine with addresses. */
export const ROLE_CODE = 5;

/** In {@linkcode AbbrevTable.steps}: the place of `DW_AT_sibling` in an entry of `ROLE_SKIP`. */
export const STEP_SIBLING = -1;

/** Entries whose children never hold code in what GCC writes; others are walked even where a sibling is known. */
const CODELESS = new Set([
  dw.DW_TAG_array_type,
  dw.DW_TAG_class_type,
  dw.DW_TAG_enumeration_type,
  dw.DW_TAG_formal_parameter,
  dw.DW_TAG_structure_type,
  dw.DW_TAG_subroutine_type,
  dw.DW_TAG_union_type,
  dw.DW_TAG_variable,
  dw.DW_TAG_call_site,
  dw.DW_TAG_GNU_call_site,
]);

/** Producers number abbreviations from 1 in each table. */
const LARGEST_CODE = 0xffff;

/** One abbreviation table (DWARF 5, section 7.5.3) as columns indexed by abbreviation code. */
export class AbbrevTable {
  readonly tag: Uint16Array;
  readonly hasChildren: Uint8Array;
  /** One of the `ROLE_` numbers. */
  readonly role: Uint8Array;
  /** Bytes of all attributes, or -1 where they vary. */
  readonly fixedSize: Int32Array;
  /** Bytes from the attributes' start to a `DW_AT_sibling` of form ref4, in entries of `ROLE_SKIP`; -1 where that varies. */
  readonly siblingAt: Int32Array;
  /** First and last + 1 attribute in the three columns below. */
  readonly firstAttribute: Int32Array;
  readonly endAttribute: Int32Array;
  readonly attribute: Uint16Array;
  readonly form: Uint16Array;
  /** Value of a `DW_FORM_implicit_const`. */
  readonly constant: Float64Array;
  /** How to skip attributes of varying size: pairs of bytes to add and a form to skip (0 ends), from `firstStep`. */
  readonly steps: Int32Array;
  readonly firstStep: Int32Array;

  /**
   * @param bytes of `.debug_abbrev`
   * @param offset of the table
   * @throws {FormatError} where the table is damaged
   */
  constructor(bytes: Uint8Array, offset: number, addressSize: number, offsetSize: number) {
    if (offset > bytes.length) {
      throw new FormatError("DWARF", "no abbreviation table here", {
        section: ".debug_abbrev",
        offset,
      });
    }
    const reader = new BinaryReader(bytes, { format: "DWARF", section: ".debug_abbrev" }, offset);
    const codes: number[] = [], tags: number[] = [], children: number[] = [], first: number[] = [];
    const attributes: number[] = [], forms: number[] = [], constants: number[] = [];
    let largest = 0;
    for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
      if (!(code > 0 && code <= LARGEST_CODE)) throw reader.problem(`abbreviation code ${code}`);
      codes.push(code);
      largest = Math.max(largest, code);
      tags.push(small(reader, "tag"));
      children.push(reader.u8());
      first.push(attributes.length);
      for (;;) {
        const attribute = small(reader, "attribute");
        const form = small(reader, "form");
        if (attribute === 0 && form === 0) break;
        attributes.push(attribute);
        forms.push(form);
        constants.push(form === dw.DW_FORM_implicit_const ? reader.sleb() : 0);
      }
    }
    first.push(attributes.length);
    const size = largest + 1;
    this.tag = new Uint16Array(size);
    this.hasChildren = new Uint8Array(size);
    this.role = new Uint8Array(size);
    this.fixedSize = new Int32Array(size);
    this.siblingAt = new Int32Array(size);
    this.firstAttribute = new Int32Array(size);
    this.endAttribute = new Int32Array(size);
    this.firstStep = new Int32Array(size);
    this.attribute = Uint16Array.from(attributes);
    this.form = Uint16Array.from(forms);
    this.constant = Float64Array.from(constants);
    const steps: number[] = [];
    for (let index = 0; index < codes.length; index++) {
      const code = codes[index];
      // The first of two entries with one code counts, as for other readers.
      if (this.role[code] !== ROLE_UNKNOWN) continue;
      this.tag[code] = tags[index];
      this.hasChildren[code] = children[index] === 0 ? 0 : 1;
      this.firstAttribute[code] = first[index];
      this.endAttribute[code] = first[index + 1];
      this.#plan(code, steps, addressSize, offsetSize);
    }
    this.steps = Int32Array.from(steps);
  }

  #plan(code: number, steps: number[], addressSize: number, offsetSize: number): void {
    const tag = this.tag[code];
    const from = this.firstAttribute[code], to = this.endAttribute[code];
    let sibling = -1, hasCode = false;
    for (let index = from; index < to; index++) {
      const attribute = this.attribute[index];
      if (attribute === dw.DW_AT_sibling && this.form[index] === dw.DW_FORM_ref4) sibling = index;
      if (attribute === dw.DW_AT_low_pc || attribute === dw.DW_AT_ranges) hasCode = true;
    }
    const isFunction = tag === dw.DW_TAG_subprogram || tag === dw.DW_TAG_inlined_subroutine;
    const hasChildren = this.hasChildren[code] === 1;
    const skips = hasChildren && sibling >= 0 && (CODELESS.has(tag) || isFunction && !hasCode);
    let size = 0, pending = 0;
    this.firstStep[code] = steps.length;
    this.siblingAt[code] = -1;
    for (let index = from; index < to; index++) {
      if (skips && index === sibling) {
        this.siblingAt[code] = size;
        steps.push(pending, STEP_SIBLING);
        pending = 0;
      }
      const bytes = fixedFormSize(this.form[index], addressSize, offsetSize);
      if (bytes >= 0) {
        pending += bytes;
        if (size >= 0) size += bytes;
      } else {
        steps.push(pending, this.form[index]);
        pending = 0;
        size = -1;
      }
    }
    steps.push(pending, 0);
    this.fixedSize[code] = size;
    this.role[code] = isFunction && hasCode
      ? ROLE_CODE
      : skips
      ? ROLE_SKIP
      : hasChildren
      ? ROLE_SCOPE
      : size >= 0
      ? ROLE_FIXED_LEAF
      : ROLE_LEAF;
  }
}

/** A tag, attribute or form; vendors' numbers end at 0xffff too. */
function small(reader: BinaryReader, what: string): number {
  const at = reader.pos;
  const value = reader.uleb();
  if (!(value >= 0 && value <= 0xffff)) throw reader.problem(`${what} ${value} cannot be true`, at);
  return value;
}
