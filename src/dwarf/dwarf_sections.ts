import { type ByteSource, MemorySource } from "../base/byte_source.ts";

const NOTHING = new Uint8Array(0);

/**
 * Opens a debug section by name (`.debug_info`), linked and expanded; `undefined` where the image has none. Each call
 * gives a source of its own: what one has read stays until that one reads again.
 */
export type OpenSection = (name: string) => ByteSource | undefined;

/**
 * The debug sections of one image. `.debug_info` and `.debug_line`, the large ones, are read by position, a unit
 * at a time: what they give is good until they read again. The others are read whole, at first use.
 */
export class DwarfSections {
  readonly info: ByteSource;
  readonly line: ByteSource;
  readonly #open: OpenSection;
  readonly #copies = new Map<string, ByteSource>();
  readonly #whole = new Map<string, Uint8Array>();

  constructor(open: OpenSection) {
    this.#open = open;
    this.info = open(".debug_info") ?? new MemorySource(NOTHING);
    this.line = open(".debug_line") ?? new MemorySource(NOTHING);
  }

  /** A copy of bytes of a section that stays, read apart from `info` and `line`. */
  copy(name: ".debug_info" | ".debug_line"): ByteSource {
    const source = this.#copies.get(name) ?? this.#open(name) ?? new MemorySource(NOTHING);
    this.#copies.set(name, source);
    return {
      size: source.size,
      read: (offset, length) => source.read(offset, length).slice(),
    };
  }

  /** All bytes of a section; none where the image has no such section. */
  bytes(name: string): Uint8Array {
    let bytes = this.#whole.get(name);
    if (bytes === undefined) {
      const source = this.#open(name);
      bytes = source === undefined ? NOTHING : source.read(0, source.size);
      this.#whole.set(name, bytes);
    }
    return bytes;
  }
}
