import { BinaryReader } from "../base/binary_reader.ts";
import { grown } from "../base/grow.ts";
import { FormatError } from "../errors.ts";
import * as dw from "./constants.ts";
import { fixedFormSize, formSizes } from "./forms.ts";

/** What a walk over a unit does with an entry; see {@linkcode AbbrevTable.role}. */
const ROLE_UNKNOWN = 0;
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
/** A label. */
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
 * One abbreviation table (DWARF 5, section 7.5.3) as columns indexed by abbreviation code. Filled again for each unit:
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
  /** How to skip attributes of varying size: pairs of bytes to add and a form to skip (0 ends); see `stepsOf`. */
  steps = new Int32Array(1024);
  /** -1 where the steps are not made yet. */
  firstStep = new Int32Array(256);
  #stepCount = 0;
  #attributeCount = 0;
  #addressSize = 8;
  #offsetSize = 4;

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
    this.firstStep.fill(-1, 0, this.size);
    this.size = 0;
    this.#stepCount = 0;
    this.#attributeCount = 0;
    this.#addressSize = addressSize;
    this.#offsetSize = offsetSize;
    const sizes = formSizes(addressSize, offsetSize);
    for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
      if (!(code > 0 && code <= LARGEST_CODE)) throw reader.problem(`abbreviation code ${code}`);
      this.#reserve(code);
      this.#readEntry(reader, code, sizes);
    }
  }

  #readEntry(reader: BinaryReader, code: number, sizes: Int8Array): void {
    const { bytes, end } = reader;
    const tag = small(reader, "tag");
    const hasChildren = reader.u8() !== 0;
    const first = this.#attributeCount;
    let count = first, size = 0, siblingAt = -1, hasSibling = false, hasCode = false;
    for (;; count++) {
      const { pos } = reader;
      let attribute: number, form: number;
      if (pos + 1 < end && bytes[pos] < 0x80 && bytes[pos + 1] < 0x80) {
        attribute = bytes[pos];
        form = bytes[pos + 1];
        reader.pos = pos + 2;
      } else {
        attribute = small(reader, "attribute");
        form = small(reader, "form");
      }
      if (attribute === 0 && form === 0) break;
      if (count === this.form.length) {
        this.attribute = grown(this.attribute, count + 1);
        this.form = grown(this.form, count + 1);
        this.constant = grown(this.constant, count + 1);
      }
      this.attribute[count] = attribute;
      this.form[count] = form;
      if (form === dw.DW_FORM_implicit_const) this.constant[count] = reader.sleb();
      if (attribute === dw.DW_AT_sibling && form === dw.DW_FORM_ref4) {
        hasSibling = true;
        siblingAt = size;
      } else if (attribute === dw.DW_AT_low_pc || attribute === dw.DW_AT_ranges) {
        hasCode = true;
      }
      const fixed = form < 256
        ? sizes[form]
        : fixedFormSize(form, this.#addressSize, this.#offsetSize);
      size = fixed < 0 || size < 0 ? -1 : size + fixed;
    }
    this.#attributeCount = count;
    // The first of two entries with one code counts, as for other readers.
    if (this.role[code] !== ROLE_UNKNOWN) return;
    if (code >= this.size) this.size = code + 1;
    this.tag[code] = tag;
    this.hasChildren[code] = hasChildren ? 1 : 0;
    this.firstAttribute[code] = first;
    this.endAttribute[code] = count;
    this.firstStep[code] = -1;
    this.fixedSize[code] = size;
    this.siblingAt[code] = siblingAt;
    this.role[code] = roleOf(tag, hasChildren, hasSibling, hasCode, size >= 0);
  }

  /** Bytes of a value of `form` in this table's unit; -1 where they vary. */
  sizeOfForm(form: number): number {
    return fixedFormSize(form, this.#addressSize, this.#offsetSize);
  }

  /** Where the steps of an entry begin in {@linkcode AbbrevTable.steps}; made when first asked for. */
  stepsOf(code: number): number {
    if (this.firstStep[code] < 0) this.#planSteps(code);
    return this.firstStep[code];
  }

  #planSteps(code: number): void {
    this.firstStep[code] = this.#stepCount;
    const end = this.endAttribute[code];
    const isSkipped = this.role[code] === ROLE_SKIP;
    let pending = 0;
    for (let index = this.firstAttribute[code]; index < end; index++) {
      const form = this.form[index];
      if (isSkipped && this.attribute[index] === dw.DW_AT_sibling && form === dw.DW_FORM_ref4) {
        this.#step(pending, STEP_SIBLING);
        pending = 0;
      }
      const size = this.sizeOfForm(form);
      if (size >= 0) pending += size;
      else {
        this.#step(pending, form);
        pending = 0;
      }
    }
    this.#step(pending, 0);
  }

  #step(bytes: number, form: number): void {
    const at = this.#stepCount;
    if (at + 2 > this.steps.length) this.steps = grown(this.steps, at + 2);
    this.steps[at] = bytes;
    this.steps[at + 1] = form;
    this.#stepCount = at + 2;
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
}

function roleOf(
  tag: number,
  hasChildren: boolean,
  hasSibling: boolean,
  hasCode: boolean,
  isFixed: boolean,
): number {
  const isFunction = tag === dw.DW_TAG_subprogram || tag === dw.DW_TAG_inlined_subroutine;
  if (isFunction && hasCode) return ROLE_CODE;
  if (!hasChildren) {
    if (tag === dw.DW_TAG_label) return ROLE_LABEL;
    return isFixed ? ROLE_FIXED_LEAF : ROLE_LEAF;
  }
  return hasSibling && (CODELESS.has(tag) || isFunction) ? ROLE_SKIP : ROLE_SCOPE;
}

/** A tag, attribute or form; vendors' numbers end at 0xffff too. */
function small(reader: BinaryReader, what: string): number {
  const at = reader.pos;
  const value = reader.uleb();
  if (!(value >= 0 && value <= 0xffff)) throw reader.problem(`${what} ${value} is impossible`, at);
  return value;
}
