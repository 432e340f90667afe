import { BinaryReader } from "../base/binary_reader.ts";

export { buildIdOfNotes } from "./build_id.ts";

/** The file name and CRC of a `.gnu_debuglink` section. */
export function debugLinkOf(bytes: Uint8Array): { file: string; crc: number } {
  const reader = new BinaryReader(bytes, { format: "ELF", section: ".gnu_debuglink" });
  const file = reader.cString();
  // The CRC is aligned to four bytes.
  reader.pos = Math.min(reader.end, (reader.pos + 3) & ~3);
  return { file, crc: reader.u32() };
}
