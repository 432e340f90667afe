import { BinaryReader } from "../base/binary_reader.ts";
import { grown } from "../base/grow.ts";
import { FormatError } from "../errors.ts";
import * as dw from "./constants.ts";
import { fixedFormSize, formSizes } from "./forms.ts";

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
/** A label with an address. */
export const ROLE_LABEL = 6;

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

/**
 * One abbreviation table (DWARF 5, section 7.5.3) as columns indexed by abbreviation code. Filled anew for each unit:
 * GCC writes a table per unit, and making a dozen small arrays for each would take longer than reading them.
 */
export class AbbrevTable {
  /** One more than the largest code. */
  size = 0;
  tag = new Uint16Array(256);
  hasChildren = new Uint8Array(256);
  /** One of the `ROLE_` numbers. */
  role = new Uint8Array(256);
  /** Bytes of all attributes, or -1 where they vary. */
  fixedSize = new Int32Array(256);
  /** Bytes from the attributes' start to a `DW_AT_sibling` of form ref4, in entries of `ROLE_SKIP`; -1 where that varies. */
  siblingAt = new Int32Array(256);
  /** First and last + 1 attribute in the three columns below. */
  firstAttribute = new Int32Array(256);
  endAttribute = new Int32Array(256);
  attribute = new Uint16Array(1024);
  form = new Uint16Array(1024);
  /** Value of a `DW_FORM_implicit_const`. */
  constant = new Float64Array(1024);
  /** How to skip attributes of varying size: pairs of bytes to add and a form to skip (0 ends), from `firstStep`. */
  steps = new Int32Array(1024);
  firstStep = new Int32Array(256);
  #stepCount = 0;

  /**
   * Reads the table at `offset`.
   *
   * @param bytes of `.debug_abbrev`
   * @throws {FormatError} where the table is damaged
   */
  read(bytes: Uint8Array, offset: number, addressSize: number, offsetSize: number): void {
    if (offset > bytes.length) {
      throw new FormatError("DWARF", "no abbreviation table here", {
        section: ".debug_abbrev",
        offset,
      });
    }
    const reader = new BinaryReader(bytes, { format: "DWARF", section: ".debug_abbrev" }, offset);
    this.role.fill(ROLE_UNKNOWN, 0, this.size);
    this.size = 0;
    this.#stepCount = 0;
    let attributes = 0;
    for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
      if (!(code > 0 && code <= LARGEST_CODE)) throw reader.problem(`abbreviation code ${code}`);
      this.#reserve(code);
      const first = attributes;
      const tag = small(reader, "tag");
      const hasChildren = reader.u8() === 0 ? 0 : 1;
      attributes = this.#readAttributes(reader, attributes);
      // The first of two entries with one code counts, as for other readers.
      if (this.role[code] !== ROLE_UNKNOWN) continue;
      this.size = Math.max(this.size, code + 1);
      this.tag[code] = tag;
      this.hasChildren[code] = hasChildren;
      this.firstAttribute[code] = first;
      this.endAttribute[code] = attributes;
      this.#plan(code, addressSize, offsetSize);
    }
  }

  /** Adds pairs of attribute and form up to the pair of zeros, and returns the new number of attributes. */
  #readAttributes(reader: BinaryReader, from: number): number {
    const { bytes, end } = reader;
    for (let count = from;; count++) {
      let { pos } = reader;
      let attribute: number, form: number;
      if (pos + 1 < end && bytes[pos] < 0x80 && bytes[pos + 1] < 0x80) {
        attribute = bytes[pos++];
        form = bytes[pos++];
        reader.pos = pos;
      } else {
        attribute = small(reader, "attribute");
        form = small(reader, "form");
      }
      if (attribute === 0 && form === 0) return count;
      if (count === this.form.length) {
        this.attribute = grown(this.attribute, count + 1);
        this.form = grown(this.form, count + 1);
        this.constant = grown(this.constant, count + 1);
      }
      this.attribute[count] = attribute;
      this.form[count] = form;
      if (form === dw.DW_FORM_implicit_const) this.constant[count] = reader.sleb();
    }
  }

  #reserve(code: number): void {
    if (code < this.role.length) return;
    this.tag = grown(this.tag, code + 1);
    this.hasChildren = grown(this.hasChildren, code + 1);
    this.role = grown(this.role, code + 1);
    this.fixedSize = grown(this.fixedSize, code + 1);
    this.siblingAt = grown(this.siblingAt, code + 1);
    this.firstAttribute = grown(this.firstAttribute, code + 1);
    this.endAttribute = grown(this.endAttribute, code + 1);
    this.firstStep = grown(this.firstStep, code + 1);
  }

  #plan(code: number, addressSize: number, offsetSize: number): void {
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
    const sizes = formSizes(addressSize, offsetSize);
    let size = 0, pending = 0;
    this.firstStep[code] = this.#stepCount;
    this.siblingAt[code] = -1;
    for (let index = from; index < to; index++) {
      if (skips && index === sibling) {
        this.siblingAt[code] = size;
        this.#step(pending, STEP_SIBLING);
        pending = 0;
      }
      const form = this.form[index];
      const bytes = form < 256 ? sizes[form] : fixedFormSize(form, addressSize, offsetSize);
      if (bytes >= 0) {
        pending += bytes;
        if (size >= 0) size += bytes;
      } else {
        this.#step(pending, form);
        pending = 0;
        size = -1;
      }
    }
    this.#step(pending, 0);
    this.fixedSize[code] = size;
    this.role[code] = isFunction && hasCode
      ? ROLE_CODE
      : tag === dw.DW_TAG_label && hasCode && !hasChildren
      ? ROLE_LABEL
      : skips
      ? ROLE_SKIP
      : hasChildren
      ? ROLE_SCOPE
      : size >= 0
      ? ROLE_FIXED_LEAF
      : ROLE_LEAF;
  }

  #step(bytes: number, form: number): void {
    const at = this.#stepCount;
    if (at + 2 > this.steps.length) this.steps = grown(this.steps, at + 2);
    this.steps[at] = bytes;
    this.steps[at + 1] = form;
    this.#stepCount = at + 2;
  }
}

/** A tag, attribute or form; vendors' numbers end at 0xffff too. */
function small(reader: BinaryReader, what: string): number {
  const at = reader.pos;
  const value = reader.uleb();
  if (!(value >= 0 && value <= 0xffff)) throw reader.problem(`${what} ${value} cannot be true`, at);
  return value;
}
