import { BinaryReader } from "../base/binary_reader.ts";
import { NT_GNU_BUILD_ID } from "./constants.ts";

/**
 * The GNU build id among ELF notes: of a note section, or of `/sys/kernel/notes`, which has the same form.
 *
 * @returns lower-case hexadecimal, or `undefined` where there is none
 * @throws {FormatError} where the notes are cut short
 *
 * @example
 * ```ts
 * import { buildIdOfNotes } from "./notes.ts";
 * const note = new Uint8Array([4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 0xab, 0xcd, 0, 0]);
 * console.assert(buildIdOfNotes(note) === "abcd");
 * ```
 */
export function buildIdOfNotes(bytes: Uint8Array, section = "notes"): string | undefined {
  const reader = new BinaryReader(bytes, { format: "ELF", section });
  while (reader.end - reader.pos >= 12) {
    const nameSize = reader.u32();
    const descriptionSize = reader.u32();
    const type = reader.u32();
    const nameAt = reader.take(nameSize);
    skipPadding(reader);
    const at = reader.take(descriptionSize);
    skipPadding(reader);
    const isGnu = nameSize === 4 && bytes[nameAt] === 0x47 && bytes[nameAt + 1] === 0x4e &&
      bytes[nameAt + 2] === 0x55 && bytes[nameAt + 3] === 0;
    if (isGnu && type === NT_GNU_BUILD_ID) {
      return Array.from(
        bytes.subarray(at, at + descriptionSize),
        (byte) => byte.toString(16).padStart(2, "0"),
      ).join("");
    }
  }
  return undefined;
}

/** Names and descriptions are padded to four bytes; the last may end at the section's end. */
function skipPadding(reader: BinaryReader): void {
  reader.pos = Math.min(reader.end, (reader.pos + 3) & ~3);
}

/** The file name and CRC of a `.gnu_debuglink` section. */
export function debugLinkOf(bytes: Uint8Array): { file: string; crc: number } {
  const reader = new BinaryReader(bytes, { format: "ELF", section: ".gnu_debuglink" });
  const file = reader.cString();
  skipPadding(reader);
  return { file, crc: reader.u32() };
}
