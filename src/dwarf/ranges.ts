import type { Address } from "../base/address.ts";
import * as dw from "./constants.ts";
import type { Die } from "./die.ts";
import type { Unit } from "./unit.ts";

/** Takes one range; `high` is the address after its last byte. */
export type AddRange = (low: Address, high: Address) => void;

/** Gives the address ranges of an entry of `unit` to `add`, in the order of the file; empty ones too. */
export function rangesOf(unit: Unit, die: Die, add: AddRange): void {
  if (die.lowPcForm !== 0 && die.highPcForm !== 0) {
    const low = unit.address(die.lowPc, die.lowPcForm);
    add(
      low,
      isAddressForm(die.highPcForm) ? unit.address(die.highPc, die.highPcForm) : low + die.highPc,
    );
  } else if (die.rangesForm !== 0) {
    const isIndex = unit.header.version >= 5 && die.rangesForm === dw.DW_FORM_rnglistx;
    rangesAt(unit, isIndex ? unit.rangeListOffset(die.ranges) : die.ranges, add);
  }
}

/** Gives the ranges of the list at `offset` of `.debug_rnglists`, before version 5 of `.debug_ranges`, to `add`. */
export function rangesAt(unit: Unit, offset: number, add: AddRange): void {
  if (unit.header.version >= 5) readRangeList(unit, offset, add);
  else readRangesBefore5(unit, offset, add);
}

function isAddressForm(form: number): boolean {
  switch (form) {
    case dw.DW_FORM_addr:
    case dw.DW_FORM_addrx:
    case dw.DW_FORM_addrx1:
    case dw.DW_FORM_addrx2:
    case dw.DW_FORM_addrx3:
    case dw.DW_FORM_addrx4:
    case dw.DW_FORM_GNU_addr_index:
      return true;
    default:
      return false;
  }
}

/** DWARF 5, section 2.17.3. */
function readRangeList(unit: Unit, offset: number, add: AddRange): void {
  const reader = unit.readerAt(".debug_rnglists", offset);
  let base = unit.lowPc;
  // Operands of all kinds are read in few places: each place more is more for an engine to compile.
  for (let kind = reader.u8(); kind !== dw.DW_RLE_end_of_list; kind = reader.u8()) {
    if (kind > dw.DW_RLE_start_length) {
      throw reader.problem(`unknown DW_RLE 0x${kind.toString(16)}`, reader.pos - 1);
    }
    let low = kind >= dw.DW_RLE_base_address ? reader.address() : reader.uleb();
    if (kind < dw.DW_RLE_offset_pair) low = unit.indexedAddress(low);
    if (kind === dw.DW_RLE_base_address || kind === dw.DW_RLE_base_addressx) {
      base = low;
      continue;
    }
    if (kind === dw.DW_RLE_offset_pair) low += base;
    const high = kind === dw.DW_RLE_start_end ? reader.address() : reader.uleb();
    if (kind === dw.DW_RLE_start_end) add(low, high);
    else if (kind === dw.DW_RLE_startx_endx) add(low, unit.indexedAddress(high));
    else add(low, high + (kind === dw.DW_RLE_offset_pair ? base : low));
  }
}

/** DWARF 4, section 2.17.3: pairs of addresses relative to a base, ended by two zeros. */
function readRangesBefore5(unit: Unit, offset: number, add: AddRange): void {
  const reader = unit.readerAt(".debug_ranges", offset);
  let base = unit.lowPc;
  for (;;) {
    const low = reader.address();
    const high = reader.address();
    // The largest address, all ones, is -1 in signed form: it selects a new base.
    if (low === -1) base = high;
    else if (low === 0 && high === 0) return;
    else add(base + low, base + high);
  }
}
