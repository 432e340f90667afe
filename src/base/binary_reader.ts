import { FormatError } from "../errors.ts";
import { type Address, addressFromHalves } from "./address.ts";

const utf8 = new TextDecoder();

/** Where the bytes of a {@linkcode BinaryReader} come from, for its messages. */
export interface ReaderPlace {
  /** `ELF`, `DWARF` and so on. */
  format: string;
  section?: string;
  /** Offset in the section of the reader's first byte. */
  base?: number;
}

/**
 * A cursor over little-endian bytes that never reads past its end: every read that would throws a
 * {@linkcode FormatError} with section and offset.
 */
export class BinaryReader {
  readonly bytes: Uint8Array;
  /** Index of the next byte to read. */
  pos: number;
  /** Index after the last byte that may be read. */
  readonly end: number;
  readonly #place: ReaderPlace;

  constructor(bytes: Uint8Array, place: ReaderPlace, pos = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = Math.min(end, bytes.length);
    this.#place = place;
  }

  /** The error to throw for a problem at `pos`. */
  problem(text: string, pos: number = this.pos): FormatError {
    const { format, section, base = 0 } = this.#place;
    return new FormatError(format, text, { section, offset: base + pos });
  }

  /** Takes `length` bytes and returns the index of the first. */
  take(length: number): number {
    const at = this.pos;
    if (!(length >= 0 && at >= 0 && length <= this.end - at)) {
      throw this.problem(`${length} bytes are needed but the data ends: use a whole file`);
    }
    this.pos = at + length;
    return at;
  }

  skip(length: number): void {
    this.take(length);
  }

  u8(): number {
    return this.bytes[this.take(1)];
  }

  i8(): number {
    return this.bytes[this.take(1)] << 24 >> 24;
  }

  u16(): number {
    const at = this.take(2);
    return this.bytes[at] | this.bytes[at + 1] << 8;
  }

  u24(): number {
    const at = this.take(3);
    return this.bytes[at] | this.bytes[at + 1] << 8 | this.bytes[at + 2] << 16;
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    const at = this.take(4);
    return int32At(this.bytes, at);
  }

  /** An unsigned 64-bit number that must be at most 2^53 - 1: a size or an offset. */
  u64(): number {
    const low = this.u32();
    const value = this.u32() * 0x1_0000_0000 + low;
    if (value > Number.MAX_SAFE_INTEGER) {
      throw this.problem(`number ${value} is too large`, this.pos - 8);
    }
    return value;
  }

  /** An offset in a section: of 4 bytes, or in 64-bit DWARF of 8. */
  offset(size: number): number {
    return size === 8 ? this.u64() : this.u32();
  }

  /** A 64-bit address, as the signed value that {@linkcode Address} describes. */
  address(): Address {
    const low = this.i32();
    return addressFromHalves(low, this.i32());
  }

  /** An unsigned number of 1, 2, 3, 4 or 8 bytes; of 8 bytes it is an address. */
  sized(size: number): number {
    switch (size) {
      case 1:
        return this.u8();
      case 2:
        return this.u16();
      case 3:
        return this.u24();
      case 4:
        return this.u32();
      case 8:
        return this.address();
      default:
        throw this.problem(`number of ${size} bytes`);
    }
  }

  /**
   * An unsigned LEB128 number. One of 64 bits with the top bit set is an address, so its value is signed like
   * {@linkcode Address}: shifting into 32 bits would lose it (0xffffffff81000000 would come out as -8).
   */
  uleb(): number {
    const { bytes, pos } = this;
    if (pos + 2 < this.end) {
      const first = bytes[pos], second = bytes[pos + 1], third = bytes[pos + 2];
      if (first < 0x80) {
        this.pos = pos + 1;
        return first;
      }
      if (second < 0x80) {
        this.pos = pos + 2;
        return first & 0x7f | second << 7;
      }
      if (third < 0x80) {
        this.pos = pos + 3;
        return first & 0x7f | (second & 0x7f) << 7 | third << 14;
      }
    }
    return this.#longUleb();
  }

  /** What {@linkcode uleb} leaves: long numbers, and those near the end. */
  #longUleb(): number {
    const { bytes } = this;
    const at = this.pos;
    let low = 0, middle = 0, high = 0;
    for (let index = 0;; index++) {
      const byte = bytes[this.take(1)];
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index < 8) middle |= bits << (7 * (index - 4));
      else if (index < 10) high |= bits << (7 * (index - 8));
      else if (bits !== 0) throw this.problem("LEB128 number is longer than 64 bits", at);
      if (byte < 0x80) break;
      if (index > 20) throw this.problem("LEB128 number is longer than 64 bits", at);
    }
    if (high === 0 && middle < 0x200_0000) return middle * 0x1000_0000 + low;
    // 28 + 28 + 8 bits; the top ones are the sign.
    return ((high << 24) >> 24) * 0x100_0000_0000_0000 + middle * 0x1000_0000 + low;
  }

  /** A signed LEB128 number. */
  sleb(): number {
    const at = this.pos;
    let value = 0, scale = 1;
    for (let index = 0;; index++) {
      const byte = this.u8();
      if (index > 20) throw this.problem("LEB128 number is longer than 64 bits", at);
      if (byte < 0x80) return value + ((byte & 0x40) !== 0 ? byte - 0x80 : byte) * scale;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
  }

  skipLeb(): void {
    const { bytes, end } = this;
    let { pos } = this;
    while (pos < end && bytes[pos] >= 0x80) pos++;
    this.pos = pos;
    this.take(1);
  }

  /** Takes a zero-terminated string and returns it without its zero. */
  cString(): string {
    const at = this.pos;
    this.skipCString();
    return utf8.decode(this.bytes.subarray(at, this.pos - 1));
  }

  skipCString(): void {
    const { bytes, end } = this;
    // Most are short: searching by the engine's own function would take longer.
    let { pos } = this;
    while (pos < end && bytes[pos] !== 0) pos++;
    if (!(pos < end)) throw this.problem("string has no end");
    this.pos = pos + 1;
  }
}

/** The four bytes at index `at` as a number; the caller knows that they are there. */
export function int32At(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
}

/** The zero-terminated string at `offset` of a string section. */
export function stringAt(
  bytes: Uint8Array,
  offset: number,
  format: string,
  section: string,
): string {
  const zero = offset >= 0 && offset < bytes.length ? bytes.indexOf(0, offset) : -1;
  if (zero < 0) throw new FormatError(format, "string is not in the section", { section, offset });
  return utf8.decode(bytes.subarray(offset, zero));
}
