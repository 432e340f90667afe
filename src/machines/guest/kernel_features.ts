import { Buffer } from "node:buffer";
import type { Address } from "../../base/address.ts";
import { BinaryReader } from "../../base/binary_reader.ts";
import { SHF_ALLOC, SHT_NOBITS } from "../../elf/constants.ts";
import type { ElfFile } from "../../elf/elf_file.ts";
import type { OpenImage } from "../../kernel/image/open_image.ts";

/** Whether a kernel has the collectors of src/build/recipe: by the name of a function of theirs, so no boot is needed. */
export function hasCollectors({ elf }: OpenImage): boolean {
  const names = elf.section(".strtab");
  return names !== undefined && includesText(elf.bytes(names), "\0kcov_collector_ioctl\0");
}

/**
 * Whether a user-mode Linux kernel can run its processes without ptrace(2), which is off by default (Linux 6.16 and later;
 * arch/um/os-Linux/start_up.c). A page fault then takes one switch to it and back in place of three.
 */
export function offersSeccomp({ elf }: OpenImage): boolean {
  return umlParameters(elf).includes("seccomp=");
}

/** The table of a user-mode Linux kernel's own parameters: for each the address of its name, and that of a function. */
const PARAMETER_TABLE = ".uml.setup.init";
const ENTRY_SIZE = 16;

/** The parameters that user-mode Linux itself takes, such as `mem=`. */
function umlParameters(elf: ElfFile): string[] {
  const table = elf.section(PARAMETER_TABLE);
  if (table === undefined) return [];
  const reader = new BinaryReader(elf.bytes(table), { format: "ELF", section: PARAMETER_TABLE });
  const names: string[] = [];
  while (reader.pos + ENTRY_SIZE <= reader.end) {
    const address = reader.address();
    reader.skip(ENTRY_SIZE / 2);
    const name = textAt(elf, address);
    if (name !== undefined) names.push(name);
  }
  return names;
}

/** The text at an address, up to its null byte; `undefined` where the file has none there. */
function textAt(elf: ElfFile, address: Address): string | undefined {
  const section = elf.sections.find((one) =>
    (one.flags & SHF_ALLOC) !== 0 && one.type !== SHT_NOBITS &&
    address >= one.address && address < one.address + one.size
  );
  if (section === undefined) return undefined;
  const bytes = elf.bytes(section).subarray(address - section.address);
  return new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.indexOf(0))));
}

function includesText(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text);
}
