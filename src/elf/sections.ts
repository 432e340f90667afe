import type { Address } from "../base/address.ts";
import { BinaryReader, stringAt } from "../base/binary_reader.ts";
import { type ByteSource, checkRange } from "../base/byte_source.ts";
import { FormatError } from "../errors.ts";
import {
  ELFCLASS64,
  ELFDATA2LSB,
  ET_DYN,
  ET_EXEC,
  ET_REL,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHN_XINDEX,
  SHT_NOBITS,
} from "./constants.ts";
import { type Machine, MACHINES } from "./machine.ts";

const EHDR_SIZE = 64;
const SHDR_SIZE = 64;

/** The parts of the ELF header that matter here. */
export interface ElfHeader {
  /** `ET_REL` for a module, `ET_EXEC` or `ET_DYN` for a kernel. */
  readonly type: number;
  readonly machine: Machine;
}

/** One section header, with its name and the address at which tables of this program place it. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /**
   * The linked address. A module is not linked: its `.text` gets 0, its other code that can run again follows, then all
   * other allocated sections, so that addresses in different sections stay different.
   */
  readonly address: Address;
  /** Place and size in the file; a size of 0 there for `SHT_NOBITS`. */
  readonly fileOffset: number;
  readonly fileSize: number;
  /** Size in memory. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
}

interface RawSection {
  nameOffset: number;
  type: number;
  flags: number;
  address: number;
  offset: number;
  size: number;
  link: number;
  info: number;
  alignment: number;
}

/**
 * Reads the ELF header and all section headers.
 *
 * @throws {FormatError} where the file is not ELF64 little-endian of one of {@linkcode MACHINES}, or is cut short.
 */
export function readSections(
  source: ByteSource,
): { header: ElfHeader; sections: ElfSection[] } {
  const start = source.read(0, Math.min(EHDR_SIZE, source.size));
  if (
    start.length < 4 || start[0] !== 0x7f || start[1] !== 0x45 || start[2] !== 0x4c ||
    start[3] !== 0x46
  ) {
    throw new FormatError("ELF", "file does not begin with 7f 45 4c 46: use an ELF file", {
      offset: 0,
    });
  }
  const reader = new BinaryReader(start, { format: "ELF" }, 4);
  if (reader.u8() !== ELFCLASS64) throw reader.problem("not a 64-bit file: use a 64-bit kernel", 4);
  if (reader.u8() !== ELFDATA2LSB) {
    throw reader.problem("not little-endian: use a little-endian kernel", 5);
  }
  reader.pos = 16;
  const type = reader.u16();
  if (type !== ET_REL && type !== ET_EXEC && type !== ET_DYN) {
    throw reader.problem(`file type ${type} is neither a kernel nor a module`, 16);
  }
  const machineNumber = reader.u16();
  const machine = MACHINES.find(({ elfNumber }) => elfNumber === machineNumber);
  if (machine === undefined) {
    const known = MACHINES.map(({ name, elfNumber }) => `${name} (${elfNumber})`).join(", ");
    throw reader.problem(`machine ${machineNumber} is none of ${known}`, 18);
  }
  reader.pos = 40;
  const tableOffset = reader.u64();
  reader.pos = 58;
  const entrySize = reader.u16();
  let count = reader.u16();
  let namesIndex = reader.u16();
  if (tableOffset === 0) {
    throw reader.problem("file has no section headers: use an unstripped file", 40);
  }
  if (entrySize !== SHDR_SIZE) throw reader.problem(`section header of ${entrySize} bytes`, 58);
  // Beyond 0xff00 sections the true numbers are in section 0.
  const zero = readHeaders(source, tableOffset, 1)[0];
  if (count === 0) count = zero.size;
  if (namesIndex === SHN_XINDEX) namesIndex = zero.link;
  const raw = readHeaders(source, tableOffset, count);
  if (namesIndex >= raw.length) throw reader.problem(`no section ${namesIndex} for names`, 62);
  for (const section of raw) {
    if (section.type !== SHT_NOBITS) {
      checkRange(source.size, section.offset, section.size, "ELF", "section headers");
    }
  }
  const names = source.read(raw[namesIndex].offset, raw[namesIndex].size);
  const labels = raw.map((section) => stringAt(names, section.nameOffset, "ELF", ".shstrtab"));
  const addresses = type === ET_REL
    ? placeSections(raw, labels)
    : raw.map((section) => section.address);
  const sections = raw.map((section, index): ElfSection => ({
    index,
    name: labels[index],
    type: section.type,
    flags: section.flags,
    address: addresses[index],
    fileOffset: section.offset,
    fileSize: section.type === SHT_NOBITS ? 0 : section.size,
    size: section.size,
    link: section.link,
    info: section.info,
  }));
  return { header: { type, machine }, sections };
}

function readHeaders(source: ByteSource, offset: number, count: number): RawSection[] {
  checkRange(source.size, offset, count * SHDR_SIZE, "ELF", "section headers");
  const reader = new BinaryReader(source.read(offset, count * SHDR_SIZE), {
    format: "ELF",
    section: "section headers",
  });
  const headers: RawSection[] = [];
  for (let index = 0; index < count; index++) {
    headers.push({
      nameOffset: reader.u32(),
      type: reader.u32(),
      flags: flagBits(reader),
      address: reader.address(),
      offset: reader.u64(),
      size: reader.u64(),
      link: reader.u32(),
      info: reader.u32(),
      alignment: reader.address(),
    });
    reader.skip(8);
  }
  return headers;
}

/** All defined section flags are in the low half. */
function flagBits(reader: BinaryReader): number {
  const low = reader.u32();
  reader.skip(4);
  return low;
}

/** Whether a section of a module's code runs once at most: when the module is loaded or removed. */
export function runsOnce(name: string): boolean {
  // The prefixes that the kernel goes by.
  return name.startsWith(".init") || name.startsWith(".exit");
}

function placeSections(sections: readonly RawSection[], names: readonly string[]): Address[] {
  const addresses = sections.map(() => 0);
  const text = names.indexOf(".text");
  let next = text < 0 ? 0 : sections[text].size;
  const place = (index: number): void => {
    const { alignment, size } = sections[index];
    const step = Math.min(4096, Math.max(16, alignment));
    addresses[index] = next = Math.ceil((next + 1) / step) * step;
    next += size;
  };
  const others = sections.map((_, index) => index)
    .filter((index) => index !== text && (sections[index].flags & SHF_ALLOC) !== 0);
  const isCounted = (index: number): boolean =>
    (sections[index].flags & SHF_EXECINSTR) !== 0 && !runsOnce(names[index]);
  others.filter(isCounted).forEach(place);
  others.filter((index) => !isCounted(index)).forEach(place);
  return addresses;
}
