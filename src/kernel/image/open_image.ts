import { type ByteSource, MemorySource } from "../../base/byte_source.ts";
import type { DwarfSections } from "../../dwarf/dwarf_sections.ts";
import { ElfFile } from "../../elf/elf_file.ts";
import { FormatError } from "../../errors.ts";
import { nodeBuiltin } from "../../sys/node_builtins.ts";
import { readWholeFile } from "../../sys/open_file.ts";
import { debugSections } from "./debug_image.ts";
import { FileSource } from "./file_source.ts";
import { inflate } from "./inflate.ts";
import {
  codeFilePlaces,
  debugFilePlaces,
  hasCode,
  hasDebugInformation,
  isDebugFileOf,
  lackOf,
} from "./separate_debug.ts";

/** An image that is open, with the file that holds its debug information. Disposing closes both. */
export class OpenImage implements Disposable {
  /** Code and, as a rule, symbols. */
  readonly elf: ElfFile;
  /** The file that was named: that with the code, or with the debug information of one beside it. */
  readonly path: string;
  /** The file with the debug sections: the same, or a separate one. */
  readonly debugElf: ElfFile;
  readonly debugPath: string;
  readonly #sources: FileSource[] = [];

  /**
   * Opens an image, also one compressed as a whole (`.zst`, `.gz`); where it has no debug information itself, also the
   * separate file that its build id or `.gnu_debuglink` names, and where it has nothing else, the image that it was split
   * from.
   *
   * @throws {FormatError} where the file is not such an image
   */
  constructor(path: string) {
    try {
      const source = this.#open(path);
      const elf = elfOf(source, path);
      const debug = hasDebugInformation(elf) ? undefined : this.#findDebug(path, elf);
      this.path = path;
      this.elf = hasCode(elf) ? elf : this.#findCode(path, elf) ?? elf;
      this.debugPath = debug?.path ?? path;
      this.debugElf = debug?.elf ?? elf;
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** What is missing of the image, in words; `undefined` where its lines can be known. */
  get lack(): string | undefined {
    return lackOf(this.elf, this.debugElf);
  }

  /** The debug sections, read from the file by position where that can be. */
  sections(): DwarfSections {
    const { source } = this.debugElf;
    return source instanceof FileSource
      ? debugSections(this.debugElf, (offset, size) => source.window(offset, size))
      : debugSections(this.debugElf);
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources.splice(0)) source[Symbol.dispose]();
  }

  /** Whether the file with the debug information can be opened again, cheaply, by another thread. */
  get isFile(): boolean {
    return this.debugElf.source instanceof FileSource && this.elf.source instanceof FileSource;
  }

  #findDebug(
    path: string,
    elf: ElfFile,
  ): { readonly path: string; readonly elf: ElfFile } | undefined {
    for (const place of debugFilePlaces(path, elf)) {
      const debug = this.#tryOpen(place);
      if (debug === undefined || !isDebugFileOf(elf, place, debug)) continue;
      return { path: place, elf: debug };
    }
    return undefined;
  }

  #findCode(path: string, debug: ElfFile): ElfFile | undefined {
    for (const place of codeFilePlaces(path)) {
      const elf = this.#tryOpen(place);
      if (elf !== undefined && hasCode(elf) && isDebugFileOf(elf, path, debug)) return elf;
    }
    return undefined;
  }

  /** `undefined` where there is no file, or none that can be read, or no image. */
  #tryOpen(path: string): ElfFile | undefined {
    if (/\.(zst|gz|xz)$/.test(path)) return undefined;
    try {
      return elfOf(this.#open(path), path);
    } catch {
      return undefined;
    }
  }

  #open(path: string): ByteSource {
    if (path.endsWith(".zst")) {
      return new MemorySource(nodeBuiltin("node:zlib").zstdDecompressSync(readWholeFile(path)));
    }
    if (path.endsWith(".gz")) {
      return new MemorySource(nodeBuiltin("node:zlib").gunzipSync(readWholeFile(path)));
    }
    if (path.endsWith(".xz")) {
      throw new FormatError("ELF", `${path} cannot be read: expand it with xz -dk`);
    }
    const source = new FileSource(path);
    this.#sources.push(source);
    return source;
  }
}

function elfOf(source: ByteSource, path: string): ElfFile {
  try {
    return new ElfFile(source, inflate);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError("ELF", `${path} cannot be used: ${error.message}`, {
      cause: error,
    });
  }
}
