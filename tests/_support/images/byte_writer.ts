/** Little-endian bytes, written one after another. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  u8(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value).u8(value >> 8);
  }

  u32(value: number): this {
    return this.u16(value).u16(value >>> 16);
  }

  /** A 64-bit number; a negative one in two's complement. */
  u64(value: number): this {
    return this.u32(value >>> 0).u32(Math.floor(value / 0x1_0000_0000) >>> 0);
  }

  uleb(value: number): this {
    let left = value;
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.u8(left % 0x80 | 0x80);
    return this.u8(left);
  }

  sleb(value: number): this {
    let left = value;
    for (; left < -0x40 || left >= 0x40; left = Math.floor(left / 0x80)) {
      this.u8((left % 0x80 + 0x80) % 0x80 | 0x80);
    }
    return this.u8(left & 0x7f);
  }

  string(text: string): this {
    return this.bytes(new TextEncoder().encode(text)).u8(0);
  }

  bytes(bytes: ArrayLike<number>): this {
    for (let index = 0; index < bytes.length; index++) this.#bytes.push(bytes[index]);
    return this;
  }

  /** Zeros up to a multiple of `size`. */
  align(size: number): this {
    while (this.length % size !== 0) this.u8(0);
    return this;
  }

  /** Overwrites four bytes. */
  patch32(at: number, value: number): this {
    for (let index = 0; index < 4; index++) this.#bytes[at + index] = value >>> (8 * index) & 0xff;
    return this;
  }

  done(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}
