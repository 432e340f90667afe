import {
  ELFCLASS64,
  ELFDATA2LSB,
  ET_EXEC,
  NT_GNU_BUILD_ID,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHT_NOTE,
  SHT_RELA,
  SHT_SYMTAB,
  STT_FUNC,
} from "../../../src/elf/constants.ts";
import { type MachineName, MACHINES } from "../../../src/elf/machine.ts";
import { ByteWriter } from "./byte_writer.ts";

const SHT_PROGBITS = 1;
const SHT_STRTAB = 3;

/** A section of a made-up ELF file. */
export interface SectionSpec {
  readonly name: string;
  readonly data: Uint8Array;
  readonly type?: number;
  readonly flags?: number;
  readonly address?: number;
  /** Name of the section for `sh_link`, and of the one for `sh_info`. */
  readonly link?: string;
  readonly info?: string;
}

/** A symbol; `section` by name, none for an undefined one. */
export interface SymbolSpec {
  readonly name: string;
  readonly value?: number;
  readonly size?: number;
  readonly section?: string;
  readonly type?: number;
  readonly isLocal?: boolean;
}

/** A relocation of a section: the place, the symbol by name, and the addend. */
export interface RelocationSpec {
  readonly section: string;
  readonly offset: number;
  readonly type: number;
  readonly symbol: string;
  readonly addend: number;
}

/** A made-up ELF file. */
export interface ElfSpec {
  readonly type?: number;
  readonly machine?: MachineName;
  readonly sections?: readonly SectionSpec[];
  readonly symbols?: readonly SymbolSpec[];
  readonly relocations?: readonly RelocationSpec[];
  /** Hexadecimal. */
  readonly buildId?: string;
}

/** A code section. */
export function codeSection(name: string, address: number, data: ArrayLike<number>): SectionSpec {
  return { name, address, data: Uint8Array.from(data), flags: SHF_ALLOC | SHF_EXECINSTR };
}

/** The bytes of a note with a build id. */
export function buildIdNote(buildId: string): Uint8Array {
  const id = buildId.match(/../g)?.map((digits) => parseInt(digits, 16)) ?? [];
  return new ByteWriter().u32(4).u32(id.length).u32(NT_GNU_BUILD_ID).string("GNU").bytes(id).align(
    4,
  )
    .done();
}

/** Builds an ELF64 little-endian file. */
export function buildElf(spec: ElfSpec): Uint8Array<ArrayBuffer> {
  const sections: SectionSpec[] = [
    { name: "", data: new Uint8Array(0), type: 0 },
    ...spec.sections ?? [],
  ];
  if (spec.buildId !== undefined) {
    sections.push({ name: ".notes", type: SHT_NOTE, data: buildIdNote(spec.buildId) });
  }
  const symbols = [{ name: "" }, ...spec.symbols ?? []];
  if (spec.symbols !== undefined) {
    const strings = new ByteWriter();
    const table = new ByteWriter();
    for (const symbol of symbols) writeSymbol(table, strings, symbol, sections);
    sections.push({ name: ".symtab", type: SHT_SYMTAB, data: table.done(), link: ".strtab" });
    sections.push({ name: ".strtab", type: SHT_STRTAB, data: strings.done() });
  }
  for (const target of new Set(spec.relocations?.map(({ section }) => section))) {
    const table = new ByteWriter();
    for (const relocation of spec.relocations ?? []) {
      if (relocation.section !== target) continue;
      const symbol = symbols.findIndex(({ name }) => name === relocation.symbol);
      table.u64(relocation.offset).u32(relocation.type).u32(symbol).u64(relocation.addend);
    }
    const name = `.rela${target}`;
    sections.push({ name, type: SHT_RELA, data: table.done(), link: ".symtab", info: target });
  }
  sections.push({ name: ".shstrtab", type: SHT_STRTAB, data: new Uint8Array(0) });
  return layOut(spec, sections);
}

function writeSymbol(
  table: ByteWriter,
  strings: ByteWriter,
  symbol: SymbolSpec,
  sections: readonly SectionSpec[],
): void {
  const { type = STT_FUNC, isLocal = false, section } = symbol;
  table.u32(strings.length).u8((isLocal ? 0 : 0x10) | type).u8(0);
  table.u16(section === undefined ? 0 : sections.findIndex(({ name }) => name === section));
  table.u64(symbol.value ?? 0).u64(symbol.size ?? 0);
  strings.string(symbol.name);
}

function layOut(spec: ElfSpec, sections: readonly SectionSpec[]): Uint8Array<ArrayBuffer> {
  const names = new ByteWriter();
  const nameAt = sections.map(({ name }) => {
    const at = names.length;
    names.string(name);
    return at;
  });
  const contents = sections.map((section, index) =>
    index === sections.length - 1 ? names.done() : section.data
  );
  const file = new ByteWriter();
  file.bytes([0x7f, 0x45, 0x4c, 0x46, ELFCLASS64, ELFDATA2LSB, 1, 0]).u64(0);
  const machine = MACHINES.find(({ name }) => name === (spec.machine ?? "x86-64"))!;
  file.u16(spec.type ?? ET_EXEC).u16(machine.elfNumber).u32(1);
  file.u64(0).u64(0);
  const tableOffsetAt = file.length;
  file.u64(0).u32(0).u16(64).u16(0).u16(0).u16(64).u16(sections.length).u16(sections.length - 1);
  const offsets = contents.map((content) => {
    file.align(8);
    const at = file.length;
    file.bytes(content);
    return at;
  });
  file.align(8).patch32(tableOffsetAt, file.length);
  const indexOf = (name: string | undefined): number =>
    name === undefined ? 0 : sections.findIndex((section) => section.name === name);
  sections.forEach((section, index) => {
    file.u32(nameAt[index]).u32(section.type ?? SHT_PROGBITS).u64(section.flags ?? 0);
    file.u64(section.address ?? 0).u64(offsets[index]).u64(contents[index].length);
    file.u32(indexOf(section.link)).u32(indexOf(section.info)).u64(1).u64(0);
  });
  return file.done();
}
