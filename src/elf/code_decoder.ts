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
   * Finds the first jump, return or trap of the code from `from` to `limit`, where an instruction begins, and puts it into
   * `jump`. Jumps to `thunks` are returns.
   */
  readonly findJump: (
    code: Uint8Array,
    from: number,
    limit: number,
    thunks: readonly number[],
    jump: Jump,
  ) => void;
  /** Whether the code from `from` to `limit` only fills up to an aligned address, and never runs. */
  readonly isPadding: (code: Uint8Array, from: number, limit: number) => boolean;
  /** Symbol that returns jump to in kernels that are built against return stack attacks. */
  readonly returnThunk?: string;
}

/** Takes the offset of a call, or of a tail call. */
export type FoundCall = (offset: number, isTailCall: boolean) => void;

/** What a straight piece of code ends in: nothing that jumps, */
export const NO_JUMP = 0;
/** a jump that is taken or not, */
export const CONDITIONAL = 1;
/** one that is always taken, */
export const JUMP = 2;
/** one to an address that is not in the instruction, */
export const INDIRECT = 3;
/** a return, */
export const RETURN = 4;
/** or a trap, or code that cannot be read. */
export const STOP = 5;

/** The end of a straight piece of code. */
export interface Jump {
  kind: number;
  /** Where it jumps to; -1 where that is not in the instruction. May lie outside the code. */
  target: number;
  /** Behind its last instruction: behind the jump, or where the search ended. */
  end: number;
  /**
   * Where given, two numbers are added for each call on the way: where it returns to, and what it calls, which is -1
   * where that is not in the instruction.
   */
  readonly calls?: number[];
}

/** Reads machine code, at the addresses of the debug information. */
export interface CodeReader {
  /**
   * Finds the first jump, return or trap of the code from `from`, where an instruction begins, to `limit`.
   *
   * @returns Whether there is code to read.
   */
  findJump(from: number, limit: number, jump: Jump): boolean;
  /** Whether the code from `from` to `limit` never runs. */
  isPadding(from: number, limit: number): boolean;
  /** Where the call begins of the point at `address`. */
  callStart(address: number): number;
}
