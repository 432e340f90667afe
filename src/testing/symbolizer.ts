import type { Address } from "../base/address.ts";
import type { Frame } from "../symbolize/image_index.ts";

/** A line of the kernel's source. */
export interface SourceLine {
  /** Path relative to the kernel's root, such as `fs/pipe.c`. */
  readonly file: string;
  readonly line: number;
}

/** Says where in the kernel's source a raw PC is. */
export interface Symbolizer {
  /** The chain of functions, innermost first; empty where the PC cannot be resolved. */
  framesOf(pc: Address): readonly Frame[];
  /** The lines that ran where this PC was recorded; empty where it cannot be resolved. */
  linesOf(pc: Address): readonly SourceLine[];
}
