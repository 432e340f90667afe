import { openRegularFile } from "../sys/open_file.ts";

/** Bytes read at once. */
const CHUNK = 1 << 20;
/** No record is as long. Reading stops at a longer line, which may be a file without end. */
const LONGEST = 1 << 26;

/** A line of a file. */
export interface FileLine {
  /** Without its end; empty where the line is too long to be one. */
  readonly text: string;
  /** False for what follows the last line end, where that is anything, and for what is too long to be a line. */
  readonly ended: boolean;
}

/**
 * The lines of a regular file, one after the other: all of them at once may be more than a string can hold.
 *
 * @throws {TypeError} Where it is no regular file, or a link to one: tests may have put something else in its place.
 * @throws The runtime's error where it cannot be read.
 */
export function* fileLines(path: string): Generator<FileLine> {
  const file = openRegularFile(path);
  try {
    const decoder = new TextDecoder();
    let buffer = new Uint8Array(Math.min(CHUNK, Math.max(file.size, 1)));
    /** Where what has not been given yet ends in the buffer. */
    let held = 0;
    for (let offset = 0; offset < file.size;) {
      if (held === buffer.length) buffer = grown(buffer, file.size);
      const count = file.read(buffer.subarray(held), offset);
      if (count === 0) break;
      offset += count;
      let start = 0;
      const end = held + count;
      for (let at = buffer.indexOf(10, held); at >= 0 && at < end; at = buffer.indexOf(10, start)) {
        yield { text: decoder.decode(buffer.subarray(start, at)), ended: true };
        start = at + 1;
      }
      buffer.copyWithin(0, start, end);
      held = end - start;
      if (held > LONGEST) {
        yield { text: "", ended: false };
        return;
      }
    }
    if (held > 0) yield { text: decoder.decode(buffer.subarray(0, held)), ended: false };
  } finally {
    file.close();
  }
}

function grown(buffer: Uint8Array<ArrayBuffer>, fileSize: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(buffer.length * 2, fileSize));
  larger.set(buffer);
  return larger;
}
