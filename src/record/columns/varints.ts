import { FormatError } from "../../errors.ts";

// Numbers in groups of seven bits, the lowest first. Values reach 2^53, so groups are split off by division: bit operators
// would cut them to 32 bits.

/** Bytes that a number takes at most: 53 bits in groups of seven. */
export const MAX_VARINT_BYTES = 8;

/** Writes a number at `at`, and returns where the next goes. */
export function appendVarint(bytes: Uint8Array, at: number, value: number): number {
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
export class VarintReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** Holds that nothing is left after `what`. */
  end(what: string): void {
    if (!this.done) throw new FormatError("record", `bytes are left after ${what}`);
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
