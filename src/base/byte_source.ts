import { FormatError } from "../errors.ts";

/** Bytes that can be read by position: a file that is open, or an array. */
export interface ByteSource {
  /** Number of bytes. */
  readonly size: number;
  /**
   * The `length` bytes at `offset`, all of them. The result may be a view: it is not to be written to.
   *
   * @throws {FormatError} where the range is not wholly inside.
   */
  read(offset: number, length: number): Uint8Array;
}

/** Refuses a range that is not wholly inside `size` bytes, whatever the numbers are. */
export function checkRange(
  size: number,
  offset: number,
  length: number,
  format: string,
  section?: string,
): void {
  if (offset >= 0 && length >= 0 && offset <= size && length <= size - offset) return;
  throw new FormatError(
    format,
    `${length} bytes are needed but only ${
      Math.max(0, size - Math.max(0, offset))
    } are there: use a whole file`,
    { section, offset },
  );
}

/** A {@linkcode ByteSource} over an array. */
export class MemorySource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.size, offset, length, "ELF");
    return this.#bytes.subarray(offset, offset + length);
  }
}
