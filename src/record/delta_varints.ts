import { FormatError } from "../errors.ts";

// A record's PCs are ascending and close together, so their differences take one or two bytes each.
// Values reach 2^53, so groups of seven bits are split off by division: bit operators would cut them to 32 bits.

/** Bytes that a number takes at most: 53 bits in groups of seven. */
const MAX_BYTES = 8;

/** Where numbers are encoded: kept, since a record for each test would be garbage for each test. */
let scratch = new Uint8Array(16_384);

/** Room for `count` numbers. */
function room(count: number): Uint8Array<ArrayBuffer> {
  if (scratch.length < count * MAX_BYTES) scratch = new Uint8Array(count * MAX_BYTES);
  return scratch;
}

/** Writes a number at `at`, and returns where the next goes. */
function append(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest >= 0x80) {
    bytes[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[end++] = rest;
  return end;
}

/** Reads variable-length numbers one after the other. */
class VarintReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#position === this.#bytes.length;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new FormatError("record", "a number is cut short or too long", {
      offset: this.#position - 1,
    });
  }

  /**
   * Reads numbers of one or two bytes, which nearly all are, and adds each to the one before: from `values[from]` on,
   * until a longer one, a 0 or the end of either. A run has tens of millions, so this is one loop.
   *
   * @returns Where it ended.
   */
  addShort(values: Float64Array, from: number): number {
    const bytes = this.#bytes;
    let at = this.#position, index = from;
    let value = values[from - 1];
    while (index < values.length) {
      const byte = bytes[at];
      if (byte > 0 && byte < 0x80) {
        value += byte;
        at++;
      } else {
        const next = bytes[at + 1];
        // Also where a byte is 0 or there is none.
        if (!(byte >= 0x80 && next > 0 && next < 0x80)) break;
        value += (byte & 0x7f) | next << 7;
        at += 2;
      }
      values[index++] = value;
    }
    this.#position = at;
    return index;
  }
}

/** Ascending integers as bytes: the first as zigzag, then the differences. */
export function encodeAscending(values: Float64Array): Uint8Array<ArrayBuffer> {
  const bytes = room(values.length);
  let end = 0;
  let previous = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (index > 0) end = append(bytes, end, value - previous);
    else end = append(bytes, end, value < 0 ? -2 * value - 1 : 2 * value);
    previous = value;
  }
  return bytes.slice(0, end);
}

/**
 * What {@linkcode encodeAscending} encoded.
 *
 * @throws {FormatError} Where the bytes are not `count` numbers that ascend.
 */
export function decodeAscending(bytes: Uint8Array, count: number): Float64Array<ArrayBuffer> {
  checkCount(bytes, count);
  const reader = new VarintReader(bytes);
  const values = new Float64Array(count);
  for (let index = 0; index < count;) {
    const number = reader.next();
    if (index === 0) values[0] = number % 2 === 0 ? number / 2 : -(number + 1) / 2;
    else if (number > 0) values[index] = values[index - 1] + number;
    else throw new FormatError("record", `entry ${index} does not ascend`);
    index = reader.addShort(values, index + 1);
  }
  checkDone(reader, count);
  return values;
}

/** Counts as bytes. */
export function encodeCounts(values: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = room(values.length);
  let end = 0;
  for (const value of values) end = append(bytes, end, value);
  return bytes.slice(0, end);
}

/**
 * What {@linkcode encodeCounts} encoded.
 *
 * @throws {FormatError} Where the bytes are not `count` 32-bit numbers.
 */
export function decodeCounts(bytes: Uint8Array, count: number): Uint32Array<ArrayBuffer> {
  checkCount(bytes, count);
  const reader = new VarintReader(bytes);
  const values = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const value = reader.next();
    if (value > 0xffff_ffff) throw new FormatError("record", `count ${index} is above 2^32`);
    values[index] = value;
  }
  checkDone(reader, count);
  return values;
}

/** Each number takes a byte at least, so a damaged count asks for no memory. */
function checkCount(bytes: Uint8Array, count: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= bytes.length) return;
  throw new FormatError("record", `${bytes.length} bytes cannot hold ${count} numbers`);
}

function checkDone(reader: VarintReader, count: number): void {
  if (!reader.done) throw new FormatError("record", `bytes are left after ${count} numbers`);
}
