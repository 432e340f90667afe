import { SHF_EXECINSTR, SHT_NOBITS } from "./constants.ts";
import type { ElfFile } from "./elf_file.ts";
import type { ElfSection } from "./sections.ts";

/** Sections that hold code. */
export function codeSections(elf: ElfFile): ElfSection[] {
  return elf.sections.filter((section) =>
    (section.flags & SHF_EXECINSTR) !== 0 && section.type !== SHT_NOBITS && section.size > 0
  );
}
