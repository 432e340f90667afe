import { type ByteSource, MemorySource } from "../base/byte_source.ts";
import type { DwarfSections } from "../dwarf/dwarf_sections.ts";
import { ElfFile } from "../elf/elf_file.ts";
import { FormatError } from "../errors.ts";
import { nodeBuiltin } from "../sys/node_builtins.ts";
import { readWholeFile } from "../sys/open_file.ts";
import { debugSections } from "./debug_image.ts";
import { FileSource } from "./file_source.ts";
import { inflate } from "./inflate.ts";

/** Where separate debug files are kept. */
const DEBUG_FOLDER = "/usr/lib/debug";

/** An image that is open, with the file that holds its debug information. Disposing closes both. */
export class OpenImage implements Disposable {
  /** Code and, as a rule, symbols. */
  readonly elf: ElfFile;
  readonly path: string;
  /** The file with the debug sections: the same, or a separate one. */
  readonly debugElf: ElfFile;
  readonly debugPath: string;
  readonly #sources: FileSource[] = [];

  /**
   * Opens an image, also one compressed as a whole (`.zst`, `.gz`); where it has no debug information itself, also the separate file that its build id or
   * `.gnu_debuglink` names.
   *
   * @throws {FormatError} where the file is not such an image
   */
  constructor(path: string) {
    try {
      const source = this.#open(path);
      this.path = path;
      this.elf = elfOf(source, path);
      this.debugPath = path;
      this.debugElf = this.elf;
      if (this.elf.section(".debug_info") === undefined) {
        for (const candidate of debugFileCandidates(path, this.elf)) {
          if (!nodeBuiltin("node:fs").existsSync(candidate)) continue;
          const debug = elfOf(this.#open(candidate), candidate);
          if (debug.section(".debug_info") === undefined || debug.buildId !== this.elf.buildId) {
            continue;
          }
          this.debugPath = candidate;
          this.debugElf = debug;
          break;
        }
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether there is debug information at all. */
  get hasDebugInformation(): boolean {
    return this.debugElf.section(".debug_info") !== undefined;
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

/** Places of the debug file, as gdb looks for it ("Debugging Information in Separate Files"). */
function debugFileCandidates(path: string, elf: ElfFile): string[] {
  const { basename, dirname, join } = nodeBuiltin("node:path");
  const candidates: string[] = [];
  const { buildId, debugLink } = elf;
  if (buildId.length > 2) {
    candidates.push(
      join(DEBUG_FOLDER, ".build-id", buildId.slice(0, 2), `${buildId.slice(2)}.debug`),
    );
  }
  if (debugLink !== undefined && debugLink.file === basename(debugLink.file)) {
    const folder = dirname(path);
    candidates.push(
      join(folder, debugLink.file),
      join(folder, ".debug", debugLink.file),
      join(DEBUG_FOLDER, folder, debugLink.file),
    );
  }
  return candidates;
}
