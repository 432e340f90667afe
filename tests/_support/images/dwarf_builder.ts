import * as dw from "../../../src/dwarf/constants.ts";
import { ByteWriter } from "./byte_writer.ts";
import type { SectionSpec } from "./elf_builder.ts";

/** A value of an attribute: a number, a string, bytes of a block, or the entry with a label. */
export type AttributeValue = number | string | Uint8Array | { readonly label: string };

/** Attribute, form and value. */
export type AttributeSpec = readonly [attribute: number, form: number, value: AttributeValue];

/** A debugging information entry. */
export interface DieSpec {
  readonly tag: number;
  readonly attributes?: readonly AttributeSpec[];
  readonly children?: readonly DieSpec[];
  /** Name by which references find it. */
  readonly label?: string;
}

/** A unit: its root, and what its header says. */
export interface UnitSpec {
  readonly root: DieSpec;
  readonly version?: 4 | 5;
  /** `DW_UT_compile` by default. */
  readonly type?: number;
  readonly is64Bit?: boolean;
}

/** Builds `.debug_info`, `.debug_abbrev` and `.debug_str` of units. */
export function buildUnits(units: readonly UnitSpec[]): SectionSpec[] {
  const info = new ByteWriter(), abbrev = new ByteWriter(), strings = new ByteWriter();
  const labels = new Map<string, number>();
  const references: { at: number; label: string; base: number }[] = [];
  for (const unit of units) {
    new UnitWriter(unit, info, abbrev, strings, labels, references).write();
  }
  for (const { at, label, base } of references) {
    const target = labels.get(label);
    if (target === undefined) throw new RangeError(`No entry is labelled ${label}`);
    info.patch32(at, target - base);
  }
  return [
    { name: ".debug_info", data: info.done() },
    { name: ".debug_abbrev", data: abbrev.done() },
    { name: ".debug_str", data: strings.done() },
  ];
}

class UnitWriter {
  readonly #unit: UnitSpec;
  readonly #info: ByteWriter;
  readonly #abbrev: ByteWriter;
  readonly #strings: ByteWriter;
  readonly #labels: Map<string, number>;
  readonly #references: { at: number; label: string; base: number }[];
  readonly #codes = new Map<string, number>();
  readonly #start: number;

  constructor(
    unit: UnitSpec,
    info: ByteWriter,
    abbrev: ByteWriter,
    strings: ByteWriter,
    labels: Map<string, number>,
    references: { at: number; label: string; base: number }[],
  ) {
    this.#unit = unit;
    this.#info = info;
    this.#abbrev = abbrev;
    this.#strings = strings;
    this.#labels = labels;
    this.#references = references;
    this.#start = info.length;
  }

  write(): void {
    const { version = 5, type = dw.DW_UT_compile, is64Bit = false } = this.#unit;
    const info = this.#info;
    if (is64Bit) info.u32(0xffffffff);
    const lengthAt = info.length;
    this.#offset(0);
    const from = info.length;
    info.u16(version);
    if (version === 5) {
      info.u8(type).u8(8);
      this.#offset(this.#abbrev.length);
    } else {
      this.#offset(this.#abbrev.length);
      info.u8(8);
    }
    this.#die(this.#unit.root);
    info.patch32(lengthAt, info.length - from);
    this.#abbrev.u8(0);
  }

  #offset(value: number): void {
    if (this.#unit.is64Bit) this.#info.u64(value);
    else this.#info.u32(value);
  }

  #die(die: DieSpec): void {
    const { tag, attributes = [], children, label } = die;
    if (label !== undefined) this.#labels.set(label, this.#info.length);
    this.#info.uleb(this.#code(tag, children !== undefined, attributes));
    const sibling = attributes.find(([attribute]) => attribute === dw.DW_AT_sibling);
    let siblingAt = -1;
    for (const attribute of attributes) {
      if (attribute === sibling) siblingAt = this.#info.length;
      this.#value(attribute);
    }
    if (children !== undefined) {
      for (const child of children) this.#die(child);
      this.#info.u8(0);
    }
    if (siblingAt >= 0) this.#info.patch32(siblingAt, this.#info.length - this.#start);
  }

  #code(tag: number, hasChildren: boolean, attributes: readonly AttributeSpec[]): number {
    const constants = attributes.map(([, form, value]) =>
      form === dw.DW_FORM_implicit_const ? value : 0
    );
    const key = JSON.stringify([tag, hasChildren, attributes.map(([a, f]) => [a, f]), constants]);
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const code = this.#codes.size + 1;
    this.#codes.set(key, code);
    this.#abbrev.uleb(code).uleb(tag).u8(hasChildren ? 1 : 0);
    attributes.forEach(([attribute, form], index) => {
      this.#abbrev.uleb(attribute).uleb(form);
      if (form === dw.DW_FORM_implicit_const) this.#abbrev.sleb(constants[index] as number);
    });
    this.#abbrev.uleb(0).uleb(0);
    return code;
  }

  #value([, form, value]: AttributeSpec): void {
    const info = this.#info;
    if (typeof value === "object" && "label" in value) {
      const base = form === dw.DW_FORM_ref_addr ? 0 : this.#start;
      this.#references.push({ at: info.length, label: value.label, base });
      if (form === dw.DW_FORM_ref_addr) this.#offset(0);
      else info.u32(0);
    } else if (typeof value === "string") {
      if (form === dw.DW_FORM_string) info.string(value);
      else {
        this.#offset(this.#strings.length);
        this.#strings.string(value);
      }
    } else if (value instanceof Uint8Array) {
      info.uleb(value.length).bytes(value);
    } else {
      this.#number(form, value);
    }
  }

  #number(form: number, value: number): void {
    const info = this.#info;
    switch (form) {
      case dw.DW_FORM_addr:
      case dw.DW_FORM_data8:
      case dw.DW_FORM_ref_sig8:
        info.u64(value);
        break;
      case dw.DW_FORM_data1:
      case dw.DW_FORM_flag:
      case dw.DW_FORM_strx1:
      case dw.DW_FORM_addrx1:
        info.u8(value);
        break;
      case dw.DW_FORM_data2:
        info.u16(value);
        break;
      case dw.DW_FORM_data4:
      case dw.DW_FORM_ref4:
        info.u32(value);
        break;
      case dw.DW_FORM_sdata:
        info.sleb(value);
        break;
      case dw.DW_FORM_sec_offset:
        this.#offset(value);
        break;
      case dw.DW_FORM_implicit_const:
      case dw.DW_FORM_flag_present:
        break;
      default:
        info.uleb(value);
    }
  }
}

/** One row of a line table; `address` absolute. */
export interface RowSpec {
  readonly address: number;
  readonly file: number;
  readonly line: number;
  readonly isStmt?: boolean;
}

/** A line table: directories (0 is the compilation folder), files with their directories, sequences of rows. */
export interface LineSpec {
  readonly version?: 4 | 5;
  readonly directories: readonly string[];
  readonly files: readonly (readonly [name: string, directory: number])[];
  /** The last row of each ends it. */
  readonly sequences: readonly (readonly RowSpec[])[];
}

const LINE_BASE = -5;
const LINE_RANGE = 14;
const OPCODE_BASE = 13;

/** Builds one line number program. */
export function buildLineProgram(spec: LineSpec): Uint8Array {
  const { version = 5 } = spec;
  const header = new ByteWriter();
  header.u8(1).u8(1).u8(1).u8(LINE_BASE).u8(LINE_RANGE).u8(OPCODE_BASE);
  header.bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
  if (version === 5) {
    header.u8(1).uleb(dw.DW_LNCT_path).uleb(dw.DW_FORM_string).uleb(spec.directories.length);
    for (const directory of spec.directories) header.string(directory);
    header.u8(2).uleb(dw.DW_LNCT_path).uleb(dw.DW_FORM_string);
    header.uleb(dw.DW_LNCT_directory_index).uleb(dw.DW_FORM_udata).uleb(spec.files.length);
    for (const [name, directory] of spec.files) header.string(name).uleb(directory);
  } else {
    for (const directory of spec.directories.slice(1)) header.string(directory);
    header.u8(0);
    for (const [name, directory] of spec.files) header.string(name).uleb(directory).u8(0).u8(0);
    header.u8(0);
  }
  const program = new ByteWriter();
  for (const sequence of spec.sequences) writeSequence(program, sequence);
  const body = new ByteWriter().u16(version);
  if (version === 5) body.u8(8).u8(0);
  body.u32(header.length).bytes(header.done()).bytes(program.done());
  return new ByteWriter().u32(body.length).bytes(body.done()).done();
}

function writeSequence(program: ByteWriter, rows: readonly RowSpec[]): void {
  let { address } = rows[0];
  let file = 1, line = 1, isStmt = true;
  program.u8(0).uleb(9).u8(dw.DW_LNE_set_address).u64(address);
  rows.forEach((row, index) => {
    const advance = row.address - address;
    if (index === rows.length - 1) {
      program.u8(dw.DW_LNS_advance_pc).uleb(advance);
      program.u8(0).uleb(1).u8(dw.DW_LNE_end_sequence);
      return;
    }
    if (row.file !== file) program.u8(dw.DW_LNS_set_file).uleb(row.file);
    if ((row.isStmt ?? true) !== isStmt) program.u8(dw.DW_LNS_negate_stmt);
    const special = (row.line - line - LINE_BASE) + LINE_RANGE * advance + OPCODE_BASE;
    const fits = row.line - line >= LINE_BASE && row.line - line < LINE_BASE + LINE_RANGE;
    if (fits && special <= 255) {
      program.u8(special);
    } else {
      program.u8(dw.DW_LNS_advance_line).sleb(row.line - line);
      program.u8(dw.DW_LNS_advance_pc).uleb(advance).u8(dw.DW_LNS_copy);
    }
    ({ address, file, line } = row);
    isStmt = row.isStmt ?? true;
  });
}

/** Builds `.debug_aranges`: the unit at each offset and its ranges. */
export function buildAranges(
  sets: readonly (readonly [
    offset: number,
    ranges: readonly (readonly [low: number, high: number])[],
  ])[],
): Uint8Array {
  const out = new ByteWriter();
  for (const [offset, ranges] of sets) {
    const set = new ByteWriter().u16(2).u32(offset).u8(8).u8(0).u32(0);
    for (const [low, high] of ranges) set.u64(low).u64(high - low);
    set.u64(0).u64(0);
    out.u32(set.length).bytes(set.done());
  }
  return out.done();
}
