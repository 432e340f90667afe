import { BinaryReader } from "../base/binary_reader.ts";
import { grown } from "../base/grow.ts";
import { FormatError } from "../errors.ts";
import * as dw from "./constants.ts";
import { fixedFormSize, formSizes } from "./forms.ts";

/** What a walk over a unit does with an entry; see {@linkcode AbbrevTable.role}. */
const ROLE_UNKNOWN = 0;
/** No children. */
export const ROLE_LEAF = 1;
/** Children that hold no code, and a `DW_AT_sibling` that leads past them. */
export const ROLE_SKIP = 2;
/** Children to walk. */
export const ROLE_SCOPE = 3;
/** A subprogram or inlined subroutine with addresses. */
export const ROLE_CODE = 4;
/** A label. */
export const ROLE_LABEL = 5;

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

/** Attributes that {@linkcode AbbrevTable} keeps: those that something here reads. */
const READ = new Uint8Array(256);
for (
  const attribute of [
    dw.DW_AT_low_pc,
    dw.DW_AT_high_pc,
    dw.DW_AT_ranges,
    dw.DW_AT_name,
    dw.DW_AT_linkage_name,
    dw.DW_AT_comp_dir,
    dw.DW_AT_sibling,
    dw.DW_AT_abstract_origin,
    dw.DW_AT_specification,
    dw.DW_AT_decl_file,
    dw.DW_AT_decl_line,
    dw.DW_AT_call_file,
    dw.DW_AT_call_line,
    dw.DW_AT_stmt_list,
    dw.DW_AT_str_offsets_base,
    dw.DW_AT_addr_base,
    dw.DW_AT_rnglists_base,
  ]
) READ[attribute] = 1;

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
  /** The same of `ROLE_LEAF`, and -1 of all others: most entries are leaves, which cost one addition. */
  leafSize = new Int32Array(256).fill(-1);
  /** Bytes from the attributes' start to a `DW_AT_sibling` of form ref4, in entries of `ROLE_SKIP`; -1 where that varies. */
  siblingAt = new Int32Array(256);
  /** Whether there is a `DW_AT_type`. */
  hasType = new Uint8Array(256);
  /** First and last + 1 attribute in the four columns below, and the bytes to skip behind the last. */
  firstAttribute = new Int32Array(256);
  endAttribute = new Int32Array(256);
  tail = new Int32Array(256);
  /** Attributes that are read, and others of varying size; and the bytes to skip before each. */
  gap = new Int32Array(1024);
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
  #sizes = formSizes(8, 4);

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
    this.leafSize.fill(-1, 0, this.size);
    this.firstStep.fill(-1, 0, this.size);
    this.size = 0;
    this.#stepCount = 0;
    this.#attributeCount = 0;
    this.#addressSize = addressSize;
    this.#offsetSize = offsetSize;
    this.#sizes = formSizes(addressSize, offsetSize);
    for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
      if (!(code > 0 && code <= LARGEST_CODE)) throw reader.problem(`abbreviation code ${code}`);
      this.#reserve(code);
      this.#readEntry(reader, code);
    }
  }

  #readEntry(reader: BinaryReader, code: number): void {
    const { bytes, end } = reader;
    const tag = small(reader, "tag");
    const hasChildren = reader.u8() !== 0;
    const first = this.#attributeCount;
    let count = first, size = 0, gap = 0, siblingAt = -1;
    let hasSibling = false, hasCode = false, hasType = false;
    for (;;) {
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
      const constant = form === dw.DW_FORM_implicit_const ? reader.sleb() : 0;
      const fixed = this.sizeOfForm(form);
      if (attribute === dw.DW_AT_type) hasType = true;
      if (
        fixed >= 0 && (attribute < 256 ? READ[attribute] : isRareButRead(attribute)) === 0
      ) gap += fixed;
      else {
        if (attribute === dw.DW_AT_sibling && form === dw.DW_FORM_ref4) {
          hasSibling = true;
          siblingAt = size;
        } else if (attribute === dw.DW_AT_low_pc || attribute === dw.DW_AT_ranges) {
          hasCode = true;
        }
        if (count === this.form.length) this.#reserveAttribute(count);
        this.gap[count] = gap;
        this.attribute[count] = attribute;
        this.form[count] = form;
        this.constant[count++] = constant;
        gap = 0;
      }
      size = fixed < 0 || size < 0 ? -1 : size + fixed;
    }
    this.#attributeCount = count;
    // The first of two entries with one code counts, as for other readers.
    if (this.role[code] !== ROLE_UNKNOWN) return;
    if (code >= this.size) this.size = code + 1;
    this.tag[code] = tag;
    this.hasChildren[code] = hasChildren ? 1 : 0;
    this.hasType[code] = hasType ? 1 : 0;
    this.firstAttribute[code] = first;
    this.endAttribute[code] = count;
    this.tail[code] = gap;
    this.firstStep[code] = -1;
    this.fixedSize[code] = size;
    this.siblingAt[code] = siblingAt;
    const role = roleOf(tag, hasChildren, hasSibling, hasCode);
    this.role[code] = role;
    this.leafSize[code] = role === ROLE_LEAF ? size : -1;
  }

  /** Bytes of a value of `form` in this table's unit; -1 where they vary. */
  sizeOfForm(form: number): number {
    return form < 256
      ? this.#sizes[form]
      : fixedFormSize(form, this.#addressSize, this.#offsetSize);
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
      pending += this.gap[index];
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
    this.#step(pending + this.tail[code], 0);
  }

  #step(bytes: number, form: number): void {
    const at = this.#stepCount;
    if (at + 2 > this.steps.length) this.steps = grown(this.steps, at + 2);
    this.steps[at] = bytes;
    this.steps[at + 1] = form;
    this.#stepCount = at + 2;
  }

  #reserveAttribute(index: number): void {
    this.gap = grown(this.gap, index + 1);
    this.attribute = grown(this.attribute, index + 1);
    this.form = grown(this.form, index + 1);
    this.constant = grown(this.constant, index + 1);
  }

  #reserve(code: number): void {
    if (code < this.role.length) return;
    this.tag = grown(this.tag, code + 1);
    this.hasChildren = grown(this.hasChildren, code + 1);
    this.role = grown(this.role, code + 1);
    this.fixedSize = grown(this.fixedSize, code + 1);
    this.leafSize = grown(this.leafSize, code + 1);
    this.siblingAt = grown(this.siblingAt, code + 1);
    this.hasType = grown(this.hasType, code + 1);
    this.firstAttribute = grown(this.firstAttribute, code + 1);
    this.endAttribute = grown(this.endAttribute, code + 1);
    this.tail = grown(this.tail, code + 1);
    this.firstStep = grown(this.firstStep, code + 1);
  }
}

function roleOf(
  tag: number,
  hasChildren: boolean,
  hasSibling: boolean,
  hasCode: boolean,
): number {
  const isFunction = tag === dw.DW_TAG_subprogram || tag === dw.DW_TAG_inlined_subroutine;
  if (isFunction && hasCode) return ROLE_CODE;
  if (!hasChildren) return tag === dw.DW_TAG_label ? ROLE_LABEL : ROLE_LEAF;
  return hasSibling && (CODELESS.has(tag) || isFunction) ? ROLE_SKIP : ROLE_SCOPE;
}

/** As {@linkcode READ}, of attributes that are not in the standard. */
function isRareButRead(attribute: number): number {
  return attribute === dw.DW_AT_MIPS_linkage_name ? 1 : 0;
}

/** A tag, attribute or form; vendors' numbers end at 0xffff too. */
function small(reader: BinaryReader, what: string): number {
  const at = reader.pos;
  const value = reader.uleb();
  if (!(value >= 0 && value <= 0xffff)) throw reader.problem(`${what} ${value} is impossible`, at);
  return value;
}
