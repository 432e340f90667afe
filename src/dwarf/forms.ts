import type { BinaryReader } from "../base/binary_reader.ts";
import * as dw from "./constants.ts";

/** Bytes of a value by form, where that depends on nothing; -1 varies, -2 is an address, -3 a section offset. */
const SIZES = new Int8Array(0x2d).fill(-1);
for (
  const [size, forms] of [
    [0, [dw.DW_FORM_flag_present, dw.DW_FORM_implicit_const]],
    [1, [
      dw.DW_FORM_data1,
      dw.DW_FORM_flag,
      dw.DW_FORM_ref1,
      dw.DW_FORM_strx1,
      dw.DW_FORM_addrx1,
    ]],
    [2, [dw.DW_FORM_data2, dw.DW_FORM_ref2, dw.DW_FORM_strx2, dw.DW_FORM_addrx2]],
    [3, [dw.DW_FORM_strx3, dw.DW_FORM_addrx3]],
    [4, [
      dw.DW_FORM_data4,
      dw.DW_FORM_ref4,
      dw.DW_FORM_ref_sup4,
      dw.DW_FORM_strx4,
      dw.DW_FORM_addrx4,
    ]],
    [8, [dw.DW_FORM_data8, dw.DW_FORM_ref8, dw.DW_FORM_ref_sig8, dw.DW_FORM_ref_sup8]],
    [16, [dw.DW_FORM_data16]],
    [-2, [dw.DW_FORM_addr]],
    [-3, [
      dw.DW_FORM_strp,
      dw.DW_FORM_sec_offset,
      dw.DW_FORM_line_strp,
      dw.DW_FORM_strp_sup,
      dw.DW_FORM_ref_addr,
    ]],
  ] as const
) {
  for (const form of forms) SIZES[form] = size;
}

/** Tables by address and offset size, as they are needed. */
const TABLES = new Map<number, Int8Array>();

/** Bytes of a value by form, for forms below 256; -1 where they vary or the form is unknown. */
export function formSizes(addressSize: number, offsetSize: number): Int8Array {
  const key = addressSize * 16 + offsetSize;
  let table = TABLES.get(key);
  if (table === undefined) {
    table = new Int8Array(256).fill(-1);
    for (let form = 0; form < SIZES.length; form++) {
      const size = SIZES[form];
      table[form] = size === -2 ? addressSize : size === -3 ? offsetSize : size;
    }
    TABLES.set(key, table);
  }
  return table;
}

/** Bytes that a value of `form` takes, or -1 where that varies or the form is unknown. */
export function fixedFormSize(form: number, addressSize: number, offsetSize: number): number {
  if (form < 256) return formSizes(addressSize, offsetSize)[form];
  return form === dw.DW_FORM_GNU_ref_alt || form === dw.DW_FORM_GNU_strp_alt ? offsetSize : -1;
}

/**
 * Moves `reader` past a value of `form`.
 *
 * @throws {FormatError} where the data ends first or the form is unknown
 */
export function skipForm(
  reader: BinaryReader,
  form: number,
  addressSize: number,
  offsetSize: number,
): void {
  switch (form) {
    case dw.DW_FORM_sdata:
    case dw.DW_FORM_udata:
    case dw.DW_FORM_ref_udata:
    case dw.DW_FORM_strx:
    case dw.DW_FORM_addrx:
    case dw.DW_FORM_loclistx:
    case dw.DW_FORM_rnglistx:
    case dw.DW_FORM_GNU_addr_index:
    case dw.DW_FORM_GNU_str_index:
      return reader.skipLeb();
    case dw.DW_FORM_exprloc:
    case dw.DW_FORM_block:
      return reader.skip(reader.uleb());
    case dw.DW_FORM_block1:
      return reader.skip(reader.u8());
    case dw.DW_FORM_block2:
      return reader.skip(reader.u16());
    case dw.DW_FORM_block4:
      return reader.skip(reader.u32());
    case dw.DW_FORM_string:
      return reader.skipCString();
    case dw.DW_FORM_indirect: {
      const inner = reader.uleb();
      if (inner === dw.DW_FORM_indirect || inner === dw.DW_FORM_implicit_const) {
        throw reader.problem("DW_FORM_indirect leads to itself");
      }
      return skipForm(reader, inner, addressSize, offsetSize);
    }
    default: {
      const size = fixedFormSize(form, addressSize, offsetSize);
      if (size < 0) throw reader.problem(`unknown DW_FORM 0x${form.toString(16)}`);
      return reader.skip(size);
    }
  }
}
