import { type ByteSource, MemorySource } from "../base/byte_source.ts";
import { BinaryReader } from "../base/binary_reader.ts";
import { FormatError } from "../errors.ts";
import {
  ELFCOMPRESS_ZLIB,
  ELFCOMPRESS_ZSTD,
  ET_REL,
  SHF_COMPRESSED,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_RELA,
  SHT_SYMTAB,
} from "./constants.ts";
import { buildIdOfNotes } from "./build_id.ts";
import { applyRelocations } from "./relocations.ts";
import { type ElfHeader, type ElfSection, readSections } from "./sections.ts";
import { SymbolTable } from "./symbols.ts";

/**
 * Expands a compressed section: `zlib` or `zstd` data to exactly `size` bytes. It throws anything on bad data and
 * must not give more than `size` bytes, however much the data would expand to.
 */
export type Inflate = (method: "zlib" | "zstd", data: Uint8Array, size: number) => Uint8Array;

/** More than any kernel's section; a header that asks for more is damaged. */
const LARGEST_SECTION = 4 * 1024 ** 3;
/** Neither deflate (1032) nor zstd (a block of 128 KiB from 4 bytes) expands further. */
const LARGEST_EXPANSION = 40_000;

/** `ZLIB`, at the start of a section of the older form, and the bytes before its data. */
const OLD_MAGIC = 0x5a4c4942;
const OLD_HEADER = 12;

function isOldCompressed({ name }: ElfSection): boolean {
  return name.startsWith(".zdebug_");
}

/** An ELF64 little-endian file for one of `MACHINES`: its sections, symbols and build id, read when asked for. */
export class ElfFile {
  readonly source: ByteSource;
  readonly header: ElfHeader;
  readonly sections: readonly ElfSection[];
  readonly #inflate: Inflate | undefined;
  readonly #byName = new Map<string, ElfSection>();
  #symbols: SymbolTable | undefined;
  #symbolBytes: { readonly table: Uint8Array; readonly strings: Uint8Array } | undefined;
  #buildId: string | undefined;

  /**
   * Reads the headers only.
   *
   * @param inflate needed for compressed sections
   * @throws {FormatError} where the file is not such a file or its section headers do not fit it
   */
  constructor(source: ByteSource, inflate?: Inflate) {
    this.source = source;
    this.#inflate = inflate;
    const { header, sections } = readSections(source);
    this.header = header;
    this.sections = sections;
    for (const section of sections) {
      if (!this.#byName.has(section.name)) this.#byName.set(section.name, section);
    }
    // Under the names that they have now. Where both are there, the newer counts.
    for (const section of sections) {
      if (!isOldCompressed(section)) continue;
      const name = `.${section.name.slice(2)}`;
      if (!this.#byName.has(name)) this.#byName.set(name, section);
    }
  }

  /** A module (`ET_REL`): not linked, relocations not applied. */
  get isModule(): boolean {
    return this.header.type === ET_REL;
  }

  /** The first section of that name that has bytes in the file, or `undefined`. */
  section(name: string): ElfSection | undefined {
    const section = this.#byName.get(name);
    return section === undefined || section.type === SHT_NOBITS ? undefined : section;
  }

  /** The section's bytes in the file, expanded where compressed; read-only. */
  bytes(section: ElfSection): Uint8Array {
    const raw = this.source.read(section.fileOffset, section.fileSize);
    if (isOldCompressed(section)) return this.#expandOld(section, raw);
    return (section.flags & SHF_COMPRESSED) === 0 ? raw : this.#expand(section, raw);
  }

  /** The RELA section that applies to `section`, or `undefined`. */
  relocationsOf(section: ElfSection): ElfSection | undefined {
    return this.sections.find((other) => other.type === SHT_RELA && other.info === section.index);
  }

  /** The section's bytes as the linker would leave them: expanded, and relocated in a module. */
  linkedBytes(section: ElfSection): Uint8Array {
    const bytes = this.bytes(section);
    const relocations = this.isModule ? this.relocationsOf(section) : undefined;
    if (relocations === undefined) return bytes;
    const copy = bytes.slice();
    applyRelocations(
      copy,
      section.address,
      this.bytes(relocations),
      this.symbols(),
      this.header.machine.dataRelocations,
      section.name,
    );
    return copy;
  }

  /** Whether the section's linked bytes are simply a part of the file. */
  isPlain(section: ElfSection): boolean {
    return (section.flags & SHF_COMPRESSED) === 0 && !isOldCompressed(section) &&
      !(this.isModule && this.relocationsOf(section) !== undefined);
  }

  /** `.symtab`; an empty table where the file is stripped. */
  symbols(): SymbolTable {
    return this.#symbols ??= this.#readSymbols();
  }

  /** Reads what {@linkcode symbols} needs, which can then be asked for when the source is closed. */
  keepSymbols(): void {
    if (this.#symbols === undefined) this.#symbolBytes ??= this.#readSymbolBytes();
  }

  /** Build id in lower-case hexadecimal; empty where the file has none. */
  get buildId(): string {
    return this.#buildId ??= this.#readBuildId();
  }

  /** Name of the separate debug file and its CRC, from `.gnu_debuglink`. */
  get debugLink(): { file: string; crc: number } | undefined {
    const section = this.section(".gnu_debuglink");
    return section === undefined ? undefined : debugLinkOf(this.bytes(section));
  }

  #readBuildId(): string {
    for (const section of this.sections) {
      if (section.type !== SHT_NOTE) continue;
      const id = buildIdOfNotes(this.bytes(section), section.name);
      if (id !== undefined) return id;
    }
    return "";
  }

  #readSymbols(): SymbolTable {
    const { table, strings } = this.#symbolBytes ?? this.#readSymbolBytes();
    this.#symbolBytes = undefined;
    return new SymbolTable(table, strings, this.isModule ? this.sections : undefined);
  }

  #readSymbolBytes(): { table: Uint8Array; strings: Uint8Array } {
    const section = this.sections.find((other) => other.type === SHT_SYMTAB);
    if (section === undefined) return { table: new Uint8Array(0), strings: new Uint8Array(0) };
    const strings = this.sections[section.link];
    if (strings === undefined) {
      throw new FormatError("ELF", `no string section ${section.link}`, { section: section.name });
    }
    return { table: this.bytes(section), strings: this.bytes(strings) };
  }

  /** As binutils did before ELF had compression: `ZLIB`, the size, big-endian, and the data. */
  #expandOld(section: ElfSection, raw: Uint8Array): Uint8Array {
    const header = new DataView(raw.buffer, raw.byteOffset, Math.min(raw.length, OLD_HEADER));
    const place = { section: section.name };
    if (header.byteLength < OLD_HEADER || header.getUint32(0) !== OLD_MAGIC) {
      throw new FormatError("ELF", "section does not begin with ZLIB: use a whole file", place);
    }
    const size = header.getUint32(4) * 2 ** 32 + header.getUint32(8);
    return this.#inflated(section, "zlib", raw.subarray(OLD_HEADER), size);
  }

  /** Elf64_Chdr: type, reserved, size, alignment; then the data. */
  #expand(section: ElfSection, raw: Uint8Array): Uint8Array {
    const reader = new BinaryReader(raw, { format: "ELF", section: section.name });
    const type = reader.u32();
    reader.skip(4);
    const size = reader.u64();
    reader.skip(8);
    const method = type === ELFCOMPRESS_ZLIB
      ? "zlib"
      : type === ELFCOMPRESS_ZSTD
      ? "zstd"
      : undefined;
    if (method === undefined) throw reader.problem(`unknown compression ${type}`, 0);
    return this.#inflated(section, method, raw.subarray(reader.pos), size);
  }

  #inflated(
    section: ElfSection,
    method: "zlib" | "zstd",
    data: Uint8Array,
    size: number,
  ): Uint8Array {
    const problem = (text: string): FormatError =>
      new FormatError("ELF", text, { section: section.name });
    if (size > LARGEST_SECTION || size > data.length * LARGEST_EXPANSION) {
      throw problem(`expanded size ${size} is impossible`);
    }
    if (this.#inflate === undefined) {
      throw problem(`section is compressed with ${method}: pass a function that expands it`);
    }
    let expanded: Uint8Array;
    try {
      expanded = this.#inflate(method, data, size);
    } catch (cause) {
      throw new FormatError("ELF", `${method} data is damaged: use a whole file`, {
        section: section.name,
        cause,
      });
    }
    if (expanded.length !== size) {
      throw problem(`expands to ${expanded.length} bytes, not to the ${size} that it says`);
    }
    return expanded;
  }
}

/** The file name and CRC of a `.gnu_debuglink` section. */
function debugLinkOf(bytes: Uint8Array): { file: string; crc: number } {
  const reader = new BinaryReader(bytes, { format: "ELF", section: ".gnu_debuglink" });
  const file = reader.cString();
  // The CRC is aligned to four bytes.
  reader.pos = Math.min(reader.end, (reader.pos + 3) & ~3);
  return { file, crc: reader.u32() };
}

/** {@linkcode ElfFile} over an array. */
export function elfFileOf(bytes: Uint8Array, inflate?: Inflate): ElfFile {
  return new ElfFile(new MemorySource(bytes), inflate);
}
