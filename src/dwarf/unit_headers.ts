import { BinaryReader } from "../base/binary_reader.ts";
import type { ByteSource } from "../base/byte_source.ts";
import { FormatError } from "../errors.ts";
import * as dw from "./constants.ts";

/** The header of one unit in `.debug_info` (DWARF 5, section 7.5.1). */
export interface UnitHeader {
  /** Where the unit begins and ends in `.debug_info`. */
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  /** 4 in 32-bit DWARF, 8 in 64-bit DWARF. */
  readonly offsetSize: number;
  readonly addressSize: number;
  readonly abbrevOffset: number;
  /** Where its first entry begins. */
  readonly dieOffset: number;
  /** `DW_UT_compile` and so on; versions before 5 have compile units only. */
  readonly type: number;
}

/** Bytes of the longest header: 64-bit DWARF 5 type unit. */
const HEADER_SIZE = 40;

/**
 * Reads the headers of all units, in the order of the section. Units that cannot be understood are left out and
 * named in `problems`; after a unit whose length is impossible nothing can be found, so reading ends there.
 */
export function readUnitHeaders(info: ByteSource, problems: string[]): UnitHeader[] {
  const headers: UnitHeader[] = [];
  for (let offset = 0; offset < info.size;) {
    const reader = new BinaryReader(
      info.read(offset, Math.min(HEADER_SIZE, info.size - offset)),
      { format: "DWARF", section: ".debug_info", base: offset },
    );
    let next = info.size;
    try {
      const { length, offsetSize } = readUnitLength(reader);
      const end = offset + reader.pos + length;
      if (length === 0 || end > info.size) {
        throw reader.problem(`unit length ${length} goes past the section's end`, 0);
      }
      next = end;
      headers.push(readHeader(reader, offset, end, offsetSize));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.push(error.message);
    }
    offset = next;
  }
  return headers;
}

/** The initial length of a unit (DWARF 5, section 7.4) and with it the size of its offsets. */
export function readUnitLength(reader: BinaryReader): { length: number; offsetSize: number } {
  const length = reader.u32();
  if (length === 0xffffffff) return { length: reader.u64(), offsetSize: 8 };
  if (length >= 0xfffffff0) throw reader.problem(`reserved unit length ${length}`, reader.pos - 4);
  return { length, offsetSize: 4 };
}

function readHeader(
  reader: BinaryReader,
  offset: number,
  end: number,
  offsetSize: number,
): UnitHeader {
  const version = reader.u16();
  if (version < 2 || version > 5) {
    throw reader.problem(`DWARF version ${version} is not known: build with -gdwarf-5`, 0);
  }
  let type = dw.DW_UT_compile;
  let addressSize: number, abbrevOffset: number;
  if (version === 5) {
    type = reader.u8();
    addressSize = reader.u8();
    abbrevOffset = reader.offset(offsetSize);
    if (type === dw.DW_UT_skeleton || type === dw.DW_UT_split_compile) reader.skip(8);
    if (type === dw.DW_UT_type || type === dw.DW_UT_split_type) reader.skip(8 + offsetSize);
  } else {
    abbrevOffset = reader.offset(offsetSize);
    addressSize = reader.u8();
  }
  if (addressSize !== 8) {
    throw reader.problem(`addresses of ${addressSize} bytes: use a 64-bit kernel`, 0);
  }
  if (offset + reader.pos > end) throw reader.problem("unit is shorter than its header", 0);
  return {
    offset,
    end,
    version,
    offsetSize,
    addressSize,
    abbrevOffset,
    dieOffset: offset + reader.pos,
    type,
  };
}
