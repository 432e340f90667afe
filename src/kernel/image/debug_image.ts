import { type ByteSource, MemorySource } from "../../base/byte_source.ts";
import { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import type { ElfFile } from "../../elf/elf_file.ts";

/**
 * Opens the debug sections of an image. A section that lies in the file as it is wanted is read from there by
 * position; a compressed or relocated one is made whole first, once.
 *
 * @param section makes a source for a part of the file; by default a view of the file's own source
 */
export function debugSections(
  elf: ElfFile,
  section: (offset: number, size: number) => ByteSource = (offset, size) =>
    partOf(elf.source, offset, size),
): DwarfSections {
  const made = new Map<string, Uint8Array>();
  return new DwarfSections((name) => {
    const found = elf.section(name);
    if (found === undefined) return undefined;
    if (elf.isPlain(found)) return section(found.fileOffset, found.fileSize);
    let bytes = made.get(name);
    if (bytes === undefined) {
      bytes = elf.linkedBytes(found);
      made.set(name, bytes);
    }
    return new MemorySource(bytes);
  });
}

function partOf(source: ByteSource, offset: number, size: number): ByteSource {
  return { size, read: (at, length) => source.read(offset + at, length) };
}
