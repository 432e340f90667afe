import { FormatError } from "../errors.ts";
import { NT_GNU_BUILD_ID } from "./constants.ts";

/** Size of a note's header: of its name, of its description, and its type. */
const HEADER_SIZE = 12;
/** "GNU" and a zero, as a number. */
const GNU = 0x474e5500;

/**
 * The GNU build id among ELF notes: of a note section, or of `/sys/kernel/notes`, which has the same form.
 *
 * @returns lower-case hexadecimal, or `undefined` where there is none
 * @throws {FormatError} where the notes are cut short
 *
 * @example
 * ```ts
 * import { buildIdOfNotes } from "./build_id.ts";
 * const note = new Uint8Array([4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 0xab, 0xcd, 0, 0]);
 * console.assert(buildIdOfNotes(note) === "abcd");
 * ```
 */
export function buildIdOfNotes(bytes: Uint8Array, section = "notes"): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER_SIZE <= bytes.length;) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const type = view.getUint32(at + 8, true);
    const name = at + HEADER_SIZE;
    // Names and descriptions are padded to four bytes; the last may end at the section's end.
    const description = padded(name + nameSize);
    if (name + nameSize > bytes.length || description + size > bytes.length && size > 0) {
      throw new FormatError("ELF", "a note is longer than its section: use a whole file", {
        section,
        offset: at,
      });
    }
    if (nameSize === 4 && view.getUint32(name) === GNU && type === NT_GNU_BUILD_ID) {
      const id = bytes.subarray(description, description + size);
      return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    at = padded(description + size);
  }
  return undefined;
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}
