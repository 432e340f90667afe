import { BinaryReader } from "../base/binary_reader.ts";
import type { Address } from "../base/address.ts";
import { readUnitLength } from "./unit_headers.ts";

/** Takes one range of `.debug_aranges`: the unit's offset in `.debug_info` and its addresses. */
export type AddUnitRange = (unitOffset: number, low: Address, high: Address) => void;

/**
 * Reads `.debug_aranges` (DWARF 5, section 6.1.2).
 *
 * @throws {FormatError} where it is damaged; ranges before the damage have been given
 */
export function readAranges(bytes: Uint8Array, add: AddUnitRange): void {
  const reader = new BinaryReader(bytes, { format: "DWARF", section: ".debug_aranges" });
  while (reader.pos < reader.end) {
    const start = reader.pos;
    const { length, offsetSize } = readUnitLength(reader);
    const end = reader.pos + length;
    if (length === 0 || end > reader.end) {
      throw reader.problem(`set length ${length} goes past the section's end`, start);
    }
    const version = reader.u16();
    const unitOffset = reader.offset(offsetSize);
    const addressSize = reader.u8();
    const segmentSize = reader.u8();
    if (version !== 2 || addressSize !== 8 || segmentSize !== 0) {
      throw reader.problem(
        `set of version ${version} with addresses of ${addressSize} and segments of ${segmentSize} bytes`,
        start,
      );
    }
    // The first pair is aligned to its own size, counted from the set's start.
    reader.pos = start + Math.ceil((reader.pos - start) / 16) * 16;
    while (reader.pos + 16 <= end) {
      const low = reader.address();
      const size = reader.address();
      if (low === 0 && size === 0) break;
      if (size > 0) add(unitOffset, low, low + size);
    }
    reader.pos = end;
  }
}
