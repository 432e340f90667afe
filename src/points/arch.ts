import {
  R_AARCH64_CALL26,
  R_AARCH64_JUMP26,
  R_X86_64_PC32,
  R_X86_64_PLT32,
} from "../elf/constants.ts";
import { arm64BlockEnd, isArm64Return } from "./arm64_code.ts";
import { CALL_LENGTH } from "./call_length.ts";
import { isX86Return, x86BlockEnd } from "./x86_code.ts";

/** The callback that the compiler calls at the start of each basic block. */
export const CALLBACK = "__sanitizer_cov_trace_pc";

/** What differs between machines when looking for coverage calls. */
export interface PointArchitecture {
  /** Bytes of the call instruction: from a point to the return address that the kernel records. */
  readonly callLength: number;
  /** Bytes between two places where an instruction may begin. */
  readonly step: number;
  /**
   * Finds direct calls of and jumps to `target` in code: gives each one's offset to `found`. Offsets, `target`
   * included, count from the code's first byte.
   */
  readonly scan: (code: Uint8Array, target: number, found: FoundCall) => void;
  /** Relocation types of a call or jump, and how far the relocated bytes are behind the instruction's start. */
  readonly relocations: readonly number[];
  readonly relocationOffset: number;
  /** Whether the instruction at `offset` is a jump: a tail call. */
  readonly isTailCall: (code: Uint8Array, offset: number) => boolean;
  /** The end of the straight piece of code that begins at `from`: behind its first unconditional jump or return, at most `limit`. */
  readonly blockEnd: (code: Uint8Array, from: number, limit: number) => number;
  /** Whether the instruction that ends at `end`, a jump or a return, is a return. Jumps to `thunks` are returns too. */
  readonly isReturn: (code: Uint8Array, end: number, thunks: readonly number[]) => boolean;
}

/** Takes the offset of a call, or of a tail call. */
export type FoundCall = (offset: number, isTailCall: boolean) => void;

const X86_64: PointArchitecture = {
  callLength: CALL_LENGTH["x86-64"],
  step: 1,
  scan: scanX86,
  relocations: [R_X86_64_PLT32, R_X86_64_PC32],
  relocationOffset: 1,
  isTailCall: isX86TailCall,
  blockEnd: x86BlockEnd,
  isReturn: isX86Return,
};

const ARM64: PointArchitecture = {
  callLength: CALL_LENGTH.arm64,
  step: 4,
  scan: scanArm64,
  relocations: [R_AARCH64_CALL26, R_AARCH64_JUMP26],
  relocationOffset: 0,
  isTailCall: isArm64TailCall,
  blockEnd: arm64BlockEnd,
  isReturn: isArm64Return,
};

/** The record for a machine. */
export function pointArchitecture(machine: "x86-64" | "arm64"): PointArchitecture {
  return machine === "x86-64" ? X86_64 : ARM64;
}

/** `E8 rel32` calls, `E9 rel32` jumps; instructions begin anywhere, so every byte is looked at. */
function scanX86(code: Uint8Array, target: number, found: FoundCall): void {
  const last = code.length - 5;
  for (let at = 0; at <= last; at++) {
    if ((code[at] & 0xfe) !== 0xe8) continue;
    const relative = code[at + 1] | code[at + 2] << 8 | code[at + 3] << 16 | code[at + 4] << 24;
    if (at + 5 + relative === target) found(at, code[at] === 0xe9);
  }
}

function isX86TailCall(code: Uint8Array, offset: number): boolean {
  return code[offset] === 0xe9;
}

/** `BL` and `B` with a word offset of 26 bits. */
function scanArm64(code: Uint8Array, target: number, found: FoundCall): void {
  const last = code.length - 4;
  for (let at = 0; at <= last; at += 4) {
    const top = code[at + 3] & 0xfc;
    if (top !== 0x94 && top !== 0x14) continue;
    const words = (code[at] | code[at + 1] << 8 | code[at + 2] << 16 | code[at + 3] << 24) << 6 >>
      6;
    if (at + words * 4 === target) found(at, top === 0x14);
  }
}

function isArm64TailCall(code: Uint8Array, offset: number): boolean {
  return (code[offset + 3] & 0xfc) === 0x14;
}
