import { type ByteSource, checkRange } from "../../base/byte_source.ts";
import { FormatError } from "../../errors.ts";
import { type OpenFile, openFile } from "../../sys/open_file.ts";

/** Read at once by a {@linkcode FileSource.window}: large enough that reading is few calls, small enough for any cache. */
const WINDOW_SIZE = 1 << 17;

/** Reads of so few bytes do not continue. */
const HEADER_SIZE = 64;

/** A file that is open for reading by position. Disposing closes it. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  #file: OpenFile | undefined;

  /** @throws the runtime's error, which names the path, where the file cannot be opened */
  constructor(path: string) {
    this.path = path;
    this.#file = openFile(path);
    this.size = this.#file.size;
  }

  read(offset: number, length: number): Uint8Array {
    checkRange(this.size, offset, length, "ELF");
    const bytes = new Uint8Array(length);
    this.#fill(bytes, offset);
    return bytes;
  }

  /**
   * A part of the file for reading from front to back in small pieces: each read gives a view of one buffer, valid until
   * the next read.
   */
  window(start: number, size: number): ByteSource {
    checkRange(this.size, start, size, "ELF");
    let buffer = new Uint8Array(0);
    let from = 0, to = 0;
    return {
      size,
      read: (offset, length) => {
        checkRange(size, offset, length, "ELF");
        if (offset < from || offset + length > to) {
          // Headers are read one here, one there: reading ahead from each would read everything.
          const ahead = length <= HEADER_SIZE ? length : WINDOW_SIZE;
          const wanted = Math.min(Math.max(length, ahead), size - offset);
          if (buffer.length < wanted) buffer = new Uint8Array(wanted);
          this.#fill(buffer.subarray(0, wanted), start + offset);
          from = offset;
          to = offset + wanted;
        }
        return buffer.subarray(offset - from, offset - from + length);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #fill(bytes: Uint8Array, offset: number): void {
    if (this.#file === undefined) throw new TypeError(`Cannot read ${this.path}: it is closed`);
    for (let done = 0; done < bytes.length;) {
      const count = this.#file.read(done === 0 ? bytes : bytes.subarray(done), offset + done);
      if (count === 0) {
        throw new FormatError("ELF", `${this.path} became shorter while it was read`, { offset });
      }
      done += count;
    }
  }
}
