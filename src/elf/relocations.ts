import { addressFromHalves } from "../base/address.ts";
import { FormatError } from "../errors.ts";
import type { DataRelocation } from "./machine.ts";
import type { SymbolTable } from "./symbols.ts";

export const RELA_SIZE = 24;
/** Bytes of a ULEB128 number that are exact here. */
const LONGEST_LEB = 7;

/**
 * Applies the RELA entries of a debug section to a copy of its bytes.
 *
 * @param target the section's bytes, written in place
 * @param address the section's own address, for relative types
 * @param types what each type of relocation does
 * @throws {FormatError} for an entry outside the section, an unknown type or an unknown symbol
 */
export function applyRelocations(
  target: Uint8Array,
  address: number,
  rela: Uint8Array,
  symbols: SymbolTable,
  types: Readonly<Record<number, DataRelocation>>,
  section: string,
): void {
  const count = Math.floor(rela.length / RELA_SIZE);
  const entries = new DataView(rela.buffer, rela.byteOffset, rela.byteLength);
  const out = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const problem = (text: string, offset: number): FormatError =>
    new FormatError("ELF", text, { section: `.rela${section}`, offset });
  let lastType = -1, kind: DataRelocation | undefined;
  for (let at = 0; at < count * RELA_SIZE; at += RELA_SIZE) {
    const place = entries.getUint32(at, true) + entries.getUint32(at + 4, true) * 0x1_0000_0000;
    const type = entries.getUint32(at + 8, true);
    if (type !== lastType) {
      kind = types[type];
      lastType = type;
    }
    if (kind === undefined) throw problem(`unknown relocation type ${type}`, at);
    const { action, field } = kind;
    if (action === "ignore") continue;
    const symbol = entries.getUint32(at + 12, true);
    const bytes = field === "uleb128" ? lebLength(target, place) : field === 6 ? 1 : field >> 3;
    if (symbol >= symbols.count || !(place + bytes <= target.length)) {
      throw problem("relocation outside its section or of an unknown symbol", at);
    }
    const addend = entries.getInt32(at + 20, true) * 0x1_0000_0000 +
      entries.getUint32(at + 16, true);
    let value = symbols.address[symbol] + addend;
    if (action === "relative") value -= address + place;
    else if (action === "add") value = readField(out, place, field) + value;
    else if (action === "subtract") value = readField(out, place, field) - value;
    writeField(out, place, field, value);
  }
}

/** Bytes of the ULEB128 number at `place`; more than the section has where it is cut short or too long. */
function lebLength(target: Uint8Array, place: number): number {
  let length = 1;
  while ((target[place + length - 1] & 0x80) !== 0) length++;
  return length > LONGEST_LEB ? Infinity : length;
}

function readField(bytes: DataView, place: number, field: DataRelocation["field"]): number {
  switch (field) {
    case 6:
    case 8:
      return bytes.getUint8(place);
    case 16:
      return bytes.getUint16(place, true);
    case 32:
      return bytes.getUint32(place, true);
    case 64:
      return addressFromHalves(bytes.getUint32(place, true), bytes.getUint32(place + 4, true));
    case "uleb128": {
      let value = 0, byte = 0x80;
      for (let at = 0; (byte & 0x80) !== 0; at++) {
        byte = bytes.getUint8(place + at);
        value += (byte & 0x7f) * 2 ** (7 * at);
      }
      return value;
    }
  }
}

/** Writes the low bits of `value`, as many as the field has. */
function writeField(
  bytes: DataView,
  place: number,
  field: DataRelocation["field"],
  value: number,
): void {
  switch (field) {
    case 6:
      bytes.setUint8(place, bytes.getUint8(place) & 0xc0 | value & 0x3f);
      break;
    case 8:
      bytes.setUint8(place, value);
      break;
    case 16:
      bytes.setUint16(place, value, true);
      break;
    case 32:
      bytes.setUint32(place, value >>> 0, true);
      break;
    case 64:
      bytes.setUint32(place, value >>> 0, true);
      bytes.setInt32(place + 4, Math.floor(value / 0x1_0000_0000), true);
      break;
    case "uleb128":
      for (let at = place, more = 0x80; more !== 0; at++) {
        more = bytes.getUint8(at) & 0x80;
        bytes.setUint8(at, more | value & 0x7f);
        value = Math.floor(value / 0x80);
      }
  }
}
