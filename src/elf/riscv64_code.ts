// Encodings of the RISC-V unprivileged manual, chapters "RV32I Base Integer Instruction Set" and "C" (compressed).
import {
  type CodeDecoder,
  CONDITIONAL,
  type FoundCall,
  INDIRECT,
  JUMP,
  type Jump,
  NO_JUMP,
  RETURN,
  STOP,
} from "./code_decoder.ts";
import { R_RISCV_CALL, R_RISCV_CALL_PLT, R_RISCV_JAL } from "./constants.ts";

const AUIPC = 0x17, BRANCH = 0x63, JALR = 0x67, JAL = 0x6f;
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
  findJump,
  isPadding,
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

/** What a `jalr` jumps to with the `auipc` before it; -1 where it has none. */
function pairTarget(code: Uint8Array, offset: number, word: number): number {
  const start = callStart(code, offset);
  if (start === offset) return -1;
  const upper = half(code, start) | half(code, start + 2) << 16;
  return start + (upper & ~0xfff) + (word >> 20);
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
 * Stops at branches, at `jal` and `jalr` that leave no return address, their compressed forms, `mret`, `sret` and zeros,
 * but not at `ebreak`: the kernel's WARN is one, and continues behind it.
 */
function findJump(
  code: Uint8Array,
  from: number,
  limit: number,
  _thunks: readonly number[],
  jump: Jump,
): void {
  jump.kind = NO_JUMP;
  jump.target = -1;
  const end = Math.min(limit, code.length);
  let at = from;
  while (at + 2 <= end) {
    const low = half(code, at);
    const length = lengthOf(low);
    if (at + length > end) break;
    const start = at;
    at += length;
    let kind = NO_JUMP, offset = 0;
    if (length === 2) {
      if (low === 0) kind = STOP;
      else if (isCompressedJump(low)) {
        kind = JUMP;
        offset = compressedOffset(low);
      } else if ((low & 0xc003) === 0xc001) {
        kind = CONDITIONAL;
        offset = compressedBranchOffset(low);
      } else if ((low & 0xf07f) === 0x8002 && (low & 0xf80) !== 0) {
        // c.jr: no second register.
        kind = destination(low) === RA ? RETURN : INDIRECT;
      } else if ((low & 0xf07f) === 0x9002 && (low & 0xf80) !== 0) {
        // c.jalr: no second register.
        jump.calls?.push(at, -1);
      }
    } else {
      const opcode = low & 0x7f;
      const word = low | half(code, start + 2) << 16;
      if (opcode === BRANCH) {
        kind = CONDITIONAL;
        offset = branchOffset(word);
      } else if (opcode === JAL && destination(low) === ZERO) {
        kind = JUMP;
        offset = jumpOffset(word);
      } else if (opcode === JALR && destination(low) === ZERO) {
        kind = (word >>> 15 & 0x1f) === RA ? RETURN : INDIRECT;
      } else if (opcode === JAL && destination(low) === RA) {
        jump.calls?.push(at, start + jumpOffset(word));
      } else if (opcode === JALR && destination(low) === RA) {
        jump.calls?.push(at, pairTarget(code, start, word));
      } else if (word === MRET || word === SRET) kind = RETURN;
    }
    if (kind === NO_JUMP) continue;
    jump.kind = kind;
    if (offset !== 0) jump.target = start + offset;
    jump.end = at;
    return;
  }
  jump.end = end;
}

/** `nop`, `c.nop` and zeros. */
function isPadding(code: Uint8Array, from: number, limit: number): boolean {
  for (let at = from; at < limit;) {
    const low = half(code, at);
    if (low === 0x13 && half(code, at + 2) === 0) at += 4;
    else if (low === 1 || low === 0) at += 2;
    else return false;
  }
  return true;
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

/** Of a branch: bits 31, 30 to 25, 11 to 8 and 7 hold bits 12, 10:5, 4:1 and 11 of the offset. */
function branchOffset(word: number): number {
  return (word >> 31) << 12 | (word >>> 25 & 0x3f) << 5 | (word >>> 8 & 0xf) << 1 |
    (word >>> 7 & 1) << 11;
}

/** Of `c.beqz` and `c.bnez`: bits 12, 11:10, 6:5, 4:3 and 2 hold bits 8, 4:3, 7:6, 2:1 and 5 of the offset. */
function compressedBranchOffset(low: number): number {
  return (low << 19 >> 31) << 8 | (low >> 10 & 3) << 3 | (low >> 5 & 3) << 6 |
    (low >> 3 & 3) << 1 | (low >> 2 & 1) << 5;
}
