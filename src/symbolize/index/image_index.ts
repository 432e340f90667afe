import type { Address } from "../../base/address.ts";
import type { MachineName } from "../../elf/machine.ts";
import type { SymbolNames } from "../../elf/symbol_names.ts";

/**
 * Everything that reports need to know of one image, in columns. Built once per build id.
 *
 * Terms: a *point* is a coverage call in `.text`, of a module in all code that can run again; a *line* is a (file, line
 * number) pair that at least one point claims, so the lines are the denominator; a *function* is a function of the
 * source, either compiled on its own or only ever inlined.
 */
export interface ImageIndex {
  /** Lower-case hexadecimal. */
  readonly buildId: string;
  readonly machine: MachineName;
  /** Address of offset 0: the start of `.text` as linked (0 for a module, whose base is known at run time). */
  readonly base: Address;
  /** Bytes from a call to its return address: 5 on x86-64, else 4. */
  readonly callLength: number;

  /** Call offsets from `base`, ascending. */
  readonly pointOffset: Uint32Array;
  /** 1 where the point is a tail call, whose return address lies in another function: never seen, so unknown. */
  readonly pointUnknown: Uint8Array;

  /** Frames of point `p`, innermost first: entries `frameStart[p]` to `frameStart[p + 1]` of the frame columns. */
  readonly frameStart: Uint32Array;
  readonly frameFunction: Uint32Array;
  /** File of the frame's line, an index into `files`. */
  readonly frameFile: Uint32Array;
  /** Line number; 0 where the compiler gave none. */
  readonly frameLine: Uint32Array;

  /** Lines that point `p` claims: entries `claimStart[p]` to `claimStart[p + 1]` of `claimLine`, line indexes. */
  readonly claimStart: Uint32Array;
  readonly claimLine: Uint32Array;

  /** Line columns, ordered by file then number; no line 0. */
  readonly lineFile: Uint32Array;
  readonly lineNumber: Uint32Array;

  /** Function columns: name as in the source (no `.isra.0` and the like), and file and line of the declaration. */
  readonly functionName: readonly string[];
  readonly functionFile: Uint32Array;
  readonly functionLine: Uint32Array;
  /** Last line of the function known from its rows; 0 where unknown. */
  readonly functionEndLine: Uint32Array;

  /** Source paths, relative to the kernel's root, `./` and `../` folded. */
  readonly files: readonly string[];
  /** Parts of the image that could not be read, one sentence each with section and offset. */
  readonly problems: readonly string[];

  /**
   * Offsets from `base` of every coverage point of the image's code, ascending: also of `.init.text` and the like, which
   * lie outside the universe (before `.text` in a user-mode kernel, so the numbers are signed). The universe's are
   * entries `universeStart` to `universeStart + pointOffset.length`; frames are known for all.
   */
  readonly allPointOffsets: Int32Array;
  readonly allPointUnknown: Uint8Array;
  /** As `frameStart`, by index in `allPointOffsets`. */
  readonly allFrameStart: Uint32Array;
  readonly universeStart: number;
  /** Path of the frame's line as the debug information gives it, an index into `paths`. */
  readonly framePath: PathColumn;
  /** Source paths as the debug information gives them, folders joined, as `llvm-symbolizer` prints them; entry 0 is `??`. */
  readonly paths: readonly string[];
  /** The entry of `files` for each of `paths`. */
  readonly pathFile: Uint32Array;
  /** By function: the linker's name, where the source gives the function another. */
  readonly linkageName: ReadonlyMap<number, string>;
  /** Where the sections of a module's code were placed; none of a kernel. */
  readonly sections: readonly CodeSection[];
  /** Symbols of the image by address from `base`. */
  readonly symbols: SymbolNames;
}

/** A section of code at its place in the index. */
export interface CodeSection {
  readonly name: string;
  readonly address: Address;
  readonly size: number;
}

/** Indexes of paths: few images have more than 65,536. */
export type PathColumn = Uint16Array | Uint32Array;

/** One step of the chain from an inlined callee to the function in the symbol table. */
export interface Frame {
  /** Source name of the function. */
  readonly function: string;
  /** Kernel-root-relative path; `??` where unknown. */
  readonly file: string;
  /** Line number; 0 where unknown. */
  readonly line: number;
  /**
   * The name as the linker knows it: of the outermost frame the symbol that the address lies in (`foo.isra.0`,
   * `foo.cold`), of the others the function's own. What `llvm-symbolizer` prints.
   */
  readonly symbol: string;
  /** The path as the debug information gives it, folders joined. What `llvm-symbolizer` prints. */
  readonly path: string;
}
