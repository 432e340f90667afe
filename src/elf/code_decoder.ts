/** Finds and reads jumps in the code of one architecture. Offsets count from the code's first byte. */
export interface CodeDecoder {
  /**
   * Bytes from a coverage point to the return address that the kernel records: of the instruction that jumps, which is
   * the point where a call takes several.
   */
  readonly callLength: number;
  /** Finds direct calls of and jumps to `target`, which may lie outside the code: gives each one to `found`. */
  readonly scan: (code: Uint8Array, target: number, found: FoundCall) => void;
  /**
   * Types of the relocations of a call or jump: how far the instruction that jumps begins behind the relocated bytes.
   */
  readonly callRelocations: Readonly<Record<number, number>>;
  /** Where the call begins whose jump is at `offset`; missing where a call is one instruction. */
  readonly callStart?: (code: Uint8Array, offset: number) => number;
  /** Whether the instruction at `offset`, a direct call or jump, is a jump: a tail call. */
  readonly isTailCall: (code: Uint8Array, offset: number) => boolean;
  /**
   * The end of the straight piece of code that begins at `from`: behind its first unconditional jump or return, at most
   * `limit`.
   */
  readonly blockEnd: (code: Uint8Array, from: number, limit: number) => number;
  /** Symbol that returns jump to in kernels that are built against return stack attacks. */
  readonly returnThunk?: string;
  /** Whether the instruction that ends at `end`, a jump or a return, is a return. Jumps to `thunks` are returns too. */
  readonly isReturn: (code: Uint8Array, end: number, thunks: readonly number[]) => boolean;
}

/** Takes the offset of a call, or of a tail call. */
export type FoundCall = (offset: number, isTailCall: boolean) => void;
