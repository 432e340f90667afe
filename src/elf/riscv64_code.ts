// Encodings of the RISC-V unprivileged manual, chapters "RV32I Base Integer Instruction Set" and "C" (compressed).
import type { CodeDecoder, FoundCall } from "./code_decoder.ts";
import { R_RISCV_CALL, R_RISCV_CALL_PLT, R_RISCV_JAL } from "./constants.ts";

const AUIPC = 0x17, JALR = 0x67, JAL = 0x6f;
/** The registers that a call and a jump leave the return address in. */
const RA = 1, ZERO = 0;
const MRET = 0x3020_0073, SRET = 0x1020_0073;

/**
 * riscv64: instructions of 4 bytes, and of 2 where they are compressed. A call is `jal`, or `auipc` and `jalr`: the point
 * is then the `jalr`, since the return address is 4 bytes behind either.
 */
export const RISCV64_CODE: CodeDecoder = {
  callLength: 4,
  scan,
  callRelocations: { [R_RISCV_CALL]: 4, [R_RISCV_CALL_PLT]: 4, [R_RISCV_JAL]: 0 },
  callStart,
  isTailCall: (code, offset) => destination(half(code, offset)) === ZERO,
  blockEnd,
  isReturn,
};

/**
 * Instructions of 4 bytes are looked for at every even offset. `c.j`, of which any 2 bytes could be one, counts only where
 * an instruction begins when all are read from the section's start on.
 */
function scan(code: Uint8Array, target: number, found: FoundCall): void {
  let next = 0;
  for (let at = 0; at + 2 <= code.length; at += 2) {
    const low = half(code, at);
    if (at === next) {
      next += lengthOf(low);
      if (isCompressedJump(low) && at + compressedOffset(low) === target) found(at, true);
    }
    const opcode = low & 0x7f;
    if (opcode !== JAL && opcode !== AUIPC || at + 4 > code.length) continue;
    const register = destination(low);
    const word = low | half(code, at + 2) << 16;
    if (opcode === JAL) {
      if (register <= RA && at + jumpOffset(word) === target) found(at, register === ZERO);
    } else if (at + 8 <= code.length) {
      const jump = half(code, at + 4) | half(code, at + 6) << 16;
      // funct3 is 0, and the base register is the one that auipc wrote.
      if ((jump & 0x7f) !== JALR || (jump >>> 12 & 0xff) !== register << 3) continue;
      const isTailCall = destination(jump) === ZERO;
      if (!isTailCall && destination(jump) !== RA) continue;
      if (at + (word & ~0xfff) + (jump >> 20) === target) found(at + 4, isTailCall);
    }
  }
}

/** At the `auipc` before a `jalr` that it belongs to. */
function callStart(code: Uint8Array, offset: number): number {
  const low = half(code, offset);
  if ((low & 0x7f) !== JALR || offset < 4) return offset;
  const before = half(code, offset - 4);
  const base = low >>> 15 | (code[offset + 2] & 0xf) << 1;
  return (before & 0x7f) === AUIPC && destination(before) === base ? offset - 4 : offset;
}

/**
 * Stops at `jal` and `jalr` that leave no return address, their compressed forms, `mret`, `sret` and zeros, but not at
 * `ebreak`: the kernel's WARN is one, and continues behind it.
 */
function blockEnd(code: Uint8Array, from: number, limit: number): number {
  const end = Math.min(limit, code.length);
  let at = from;
  while (at + 2 <= end) {
    const low = half(code, at);
    const length = lengthOf(low);
    if (at + length > end) return end;
    at += length;
    if (length === 2) {
      // c.jr: no second register.
      const isJump = (low & 0xf07f) === 0x8002 && (low & 0xf80) !== 0;
      if (isJump || isCompressedJump(low) || low === 0) return at;
      continue;
    }
    const opcode = low & 0x7f;
    if ((opcode === JAL || opcode === JALR) && destination(low) === ZERO) return at;
    const word = low | half(code, at - 2) << 16;
    if (word === MRET || word === SRET) return at;
  }
  return end;
}

/** `ret`: `jalr` or `c.jr` to `ra`. */
function isReturn(code: Uint8Array, end: number): boolean {
  const low = half(code, end - 4), high = half(code, end - 2);
  if (high === 0x0000) return low === 0x8067;
  // A jump back by nearly 1 MiB may end in the bytes of c.jr. In doubt it is no return.
  return high === 0x8082 && (low & 0xfff) !== JAL;
}

/** The two bytes at an offset; 0 outside the code. */
function half(code: Uint8Array, at: number): number {
  return code[at] | code[at + 1] << 8;
}

function lengthOf(low: number): number {
  return (low & 3) === 3 ? 4 : 2;
}

function destination(low: number): number {
  return low >>> 7 & 0x1f;
}

function isCompressedJump(low: number): boolean {
  return (low & 0xe003) === 0xa001;
}

/** Of `c.j`: bits 12 to 2 hold bits 11, 4, 9:8, 10, 6, 7, 3:1 and 5 of the offset. */
function compressedOffset(low: number): number {
  return (low << 19 >> 31) << 11 | (low >> 11 & 1) << 4 | (low >> 9 & 3) << 8 |
    (low >> 8 & 1) << 10 | (low >> 7 & 1) << 6 | (low >> 6 & 1) << 7 | (low >> 3 & 7) << 1 |
    (low >> 2 & 1) << 5;
}

/** Of `jal`: bits 31 to 12 hold bits 20, 10:1, 11 and 19:12 of the offset. */
function jumpOffset(word: number): number {
  return (word >> 31) << 20 | (word >> 21 & 0x3ff) << 1 | (word >> 20 & 1) << 11 |
    word & 0xff000;
}
