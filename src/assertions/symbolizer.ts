import type { Address } from "../base/address.ts";
import type { OriginName } from "../coverage/origin_selection.ts";
import type { OriginPcs } from "../kcov/origin.ts";

/** A function of the kernel's source, and a line in it. */
export interface Frame extends SourceLine {
  readonly function: string;
}

/** A line of the kernel's source. */
export interface SourceLine {
  /** Path relative to the kernel's root, such as `fs/pipe.c`. */
  readonly file: string;
  readonly line: number;
}

/** Says where in the kernel's source a raw PC is. */
export interface Symbolizer {
  /** Names of the chain of functions, innermost first; empty where the PC cannot be resolved. */
  functionsOf(pc: Address): readonly string[];
  /** The lines that ran where this PC was recorded; empty where it cannot be resolved. */
  linesOf(pc: Address): readonly SourceLine[];
  /** The frames of comparisons by their raw PCs, innermost first; those that cannot be resolved have none. */
  framesOf(pcs: Iterable<Address>): ReadonlyMap<Address, readonly Frame[]>;
  /**
   * Holds that coverage points can tell of a function.
   *
   * @throws {RangeError} Where they cannot; names the nearest that they can tell of.
   */
  checkFunction(name: string): void;
  /**
   * Holds that coverage points can tell of a source file.
   *
   * @throws {RangeError} Where they cannot; names the nearest that they can tell of.
   */
  checkFile(file: string): void;
  /**
   * The PCs that ran from an origin; by default those that the test caused.
   *
   * @param threadsShared Other threads of the process may have worked for other tests.
   * @throws {TypeError} Where there is no such origin; names the nearest.
   */
  ranFrom(pcs: OriginPcs, origin: OriginName | undefined, threadsShared: boolean): OriginPcs;
  /** Whether an origin is of what the test caused. */
  isCaused(origin: number, threadsShared: boolean): boolean;
  /** The name of the call that an origin goes back to, such as `openat`. */
  callOf(origin: number): string;
}
