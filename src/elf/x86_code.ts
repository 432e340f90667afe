// Lengths of x86-64 instructions: Intel's manual, volume 2, appendix A (opcode maps) and chapter 2 (formats).
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
import { R_X86_64_PC32, R_X86_64_PLT32 } from "./constants.ts";

/** x86-64: instructions of 1 to 15 bytes. */
export const X86_CODE: CodeDecoder = {
  callLength: 5,
  scan,
  callRelocations: { [R_X86_64_PLT32]: -1, [R_X86_64_PC32]: -1 },
  isTailCall: (code, offset) => code[offset] === 0xe9,
  findJump,
  isPadding,
  returnThunk: "__x86_return_thunk",
};

const MODRM = 0x01;
const IMM8 = 0x02;
/** An immediate of 4 bytes, of 2 with an operand size prefix. */
const IMMZ = 0x04;
const IMM16 = 0x08;
const PREFIX = 0x10;
/** Needs a look at more than the opcode. */
const SPECIAL = 0x20;
/** Code does not go on behind it. */
const ENDS = 0x40;
const INVALID = 0x80;
/** A conditional jump. */
const BRANCH = 0x100;

const ONE_BYTE = oneByteMap();
const TWO_BYTE = twoByteMap();
/** Bytes of a ModRM byte with what belongs to it: a SIB byte and a displacement. */
const MODRM_SIZE = Uint8Array.from({ length: 256 }, (_, modrm) => {
  const mode = modrm >> 6, rm = modrm & 7;
  const displacement = mode === 1 ? 1 : mode === 2 || mode === 0 && rm === 5 ? 4 : 0;
  return 1 + displacement + (mode !== 3 && rm === 4 ? 1 : 0);
});

function fill(map: Uint16Array, from: number, to: number, value: number): void {
  map.fill(value, from, to + 1);
}

function oneByteMap(): Uint16Array {
  const map = new Uint16Array(256);
  for (let row = 0; row < 0x40; row += 8) {
    fill(map, row, row + 3, MODRM);
    map[row + 4] = IMM8;
    map[row + 5] = IMMZ;
    fill(map, row + 6, row + 7, INVALID);
  }
  for (const prefix of [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]) {
    map[prefix] = PREFIX;
  }
  fill(map, 0x40, 0x4f, PREFIX);
  fill(map, 0x60, 0x61, INVALID);
  map[0x62] = SPECIAL;
  map[0x63] = MODRM;
  map[0x68] = IMMZ;
  map[0x69] = MODRM | IMMZ;
  map[0x6a] = IMM8;
  map[0x6b] = MODRM | IMM8;
  fill(map, 0x70, 0x7f, IMM8 | BRANCH);
  map[0x80] = MODRM | IMM8;
  map[0x81] = MODRM | IMMZ;
  map[0x82] = INVALID;
  map[0x83] = MODRM | IMM8;
  fill(map, 0x84, 0x8f, MODRM);
  map[0x9a] = INVALID;
  fill(map, 0xa0, 0xa3, SPECIAL);
  map[0xa8] = IMM8;
  map[0xa9] = IMMZ;
  fill(map, 0xb0, 0xb7, IMM8);
  fill(map, 0xb8, 0xbf, SPECIAL);
  fill(map, 0xc0, 0xc1, MODRM | IMM8);
  map[0xc2] = IMM16 | ENDS;
  map[0xc3] = ENDS;
  fill(map, 0xc4, 0xc5, SPECIAL);
  map[0xc6] = MODRM | IMM8;
  map[0xc7] = MODRM | IMMZ;
  map[0xc8] = IMM16 | IMM8;
  map[0xca] = IMM16 | ENDS;
  map[0xcb] = ENDS;
  // int3 pads behind returns and jumps.
  map[0xcc] = ENDS;
  map[0xcd] = IMM8;
  map[0xce] = INVALID;
  map[0xcf] = ENDS;
  fill(map, 0xd0, 0xd3, MODRM);
  fill(map, 0xd4, 0xd6, INVALID);
  fill(map, 0xd8, 0xdf, MODRM);
  fill(map, 0xe0, 0xe3, IMM8 | BRANCH);
  fill(map, 0xe4, 0xe7, IMM8);
  map[0xe8] = IMMZ;
  map[0xe9] = IMMZ | ENDS;
  map[0xea] = INVALID;
  map[0xeb] = IMM8 | ENDS;
  fill(map, 0xf6, 0xf7, SPECIAL);
  map[0xfe] = MODRM;
  map[0xff] = SPECIAL;
  map[0x0f] = SPECIAL;
  return map;
}

/** Opcodes behind `0f`; those behind `0f 38` all have ModRM only, those behind `0f 3a` also a byte. */
function twoByteMap(): Uint16Array {
  const map = new Uint16Array(256).fill(MODRM);
  fill(map, 0x05, 0x09, 0);
  fill(map, 0xa0, 0xa2, 0);
  fill(map, 0xa8, 0xaa, 0);
  for (const opcode of [0x0b, 0x0e, 0x77]) map[opcode] = 0;
  fill(map, 0x30, 0x37, 0);
  fill(map, 0x80, 0x8f, IMMZ | BRANCH);
  fill(map, 0xc8, 0xcf, 0);
  for (const opcode of [0x0f, 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6]) {
    map[opcode] = MODRM | IMM8;
  }
  for (const opcode of [0x04, 0x0a, 0x0c, 0x24, 0x25, 0x26, 0x27, 0x36]) map[opcode] = INVALID;
  return map;
}

/** `E8 rel32` calls, `E9 rel32` jumps; instructions begin anywhere, so every byte is looked at. */
function scan(code: Uint8Array, target: number, found: FoundCall): void {
  const last = code.length - 5;
  for (let at = 0; at <= last; at++) {
    if ((code[at] & 0xfe) !== 0xe8) continue;
    if (at + 5 + relative32(code, at + 1) === target) found(at, code[at] === 0xe9);
  }
}

/**
 * Stops at `int3` and at code that cannot be decoded, but not at `ud2`: the kernel's WARN is one, and continues
 * behind it.
 */
function findJump(
  code: Uint8Array,
  from: number,
  limit: number,
  thunks: readonly number[],
  jump: Jump,
): void {
  jump.kind = NO_JUMP;
  jump.target = -1;
  const end = Math.min(limit, code.length);
  let at = from;
  while (at < end) {
    let operand16 = false, address32 = false, wide = false, isPointerCall = false;
    let opcode = code[at++];
    let kind = ONE_BYTE[opcode];
    while (kind === PREFIX) {
      if (opcode === 0x66) operand16 = true;
      else if (opcode === 0x67) address32 = true;
      // Only a REX prefix right before the opcode counts.
      wide = opcode >= 0x48 && opcode <= 0x4f;
      if (at >= end) {
        jump.end = end;
        return;
      }
      opcode = code[at++];
      kind = ONE_BYTE[opcode];
    }
    if ((kind & SPECIAL) !== 0) {
      switch (opcode) {
        case 0x0f:
          opcode = code[at++];
          if (opcode === 0x38) {
            at++;
            kind = MODRM;
          } else if (opcode === 0x3a) {
            at++;
            kind = MODRM | IMM8;
          } else {
            kind = TWO_BYTE[opcode];
          }
          // Relative jumps and calls keep 4 bytes in 64-bit mode.
          if ((kind & IMMZ) !== 0) operand16 = false;
          break;
        case 0xc5:
          kind = TWO_BYTE[code[at + 1]] & ~(IMMZ | BRANCH);
          at += 2;
          break;
        case 0xc4:
          kind = vectorKind(code[at] & 0x1f, code[at + 2]);
          at += 3;
          break;
        case 0x62:
          kind = vectorKind(code[at] & 7, code[at + 3]);
          at += 4;
          break;
        case 0xf6:
          kind = (code[at] & 0x30) === 0 ? MODRM | IMM8 : MODRM;
          break;
        case 0xf7:
          kind = (code[at] & 0x30) === 0 ? MODRM | IMMZ : MODRM;
          break;
        case 0xff: {
          const extension = code[at] >> 3 & 7;
          kind = extension === 4 || extension === 5 ? MODRM | ENDS : MODRM;
          isPointerCall = extension === 2 || extension === 3;
          break;
        }
        default:
          // a0 to a3 hold an address, b8 to bf an immediate of the operand's size.
          if (opcode < 0xb0) at += address32 ? 4 : 8;
          else at += wide ? 8 : operand16 ? 2 : 4;
          kind = 0;
      }
    } else if ((opcode & 0xfe) === 0xe8) {
      operand16 = false;
      if (opcode === 0xe8 && jump.calls !== undefined && at + 4 <= end) {
        jump.calls.push(at + 4, at + 4 + relative32(code, at));
      }
    }
    if ((kind & INVALID) !== 0) {
      jump.kind = STOP;
      jump.end = Math.min(at, end);
      return;
    }
    if ((kind & MODRM) !== 0) {
      const modrm = code[at];
      // A SIB byte that names no base register brings a displacement where ModRM has none.
      if ((modrm & 0xc7) === 4 && (code[at + 1] & 7) === 5) at += 4;
      at += MODRM_SIZE[modrm];
    }
    if (isPointerCall && at <= end) jump.calls?.push(at, -1);
    if ((kind & IMM8) !== 0) at += 1;
    if ((kind & IMM16) !== 0) at += 2;
    if ((kind & IMMZ) !== 0) at += operand16 ? 2 : 4;
    if ((kind & (ENDS | BRANCH)) !== 0) {
      jump.end = Math.min(at, end);
      if (at > end) return;
      if ((kind & IMM8) !== 0) {
        jump.target = at + (code[at - 1] << 24 >> 24);
      } else if ((kind & IMMZ) !== 0) {
        jump.target = at + relative32(code, at - 4);
      }
      if ((kind & BRANCH) !== 0) jump.kind = CONDITIONAL;
      else if (opcode === 0xff) jump.kind = INDIRECT;
      else if (opcode === 0xcc) jump.kind = STOP;
      // Kernels that are built against return stack attacks jump to a thunk instead.
      else if (opcode === 0xeb || opcode === 0xe9 && !thunks.includes(jump.target)) {
        jump.kind = JUMP;
      } else jump.kind = RETURN;
      return;
    }
  }
  jump.end = end;
}

/** `nop` of 1 to 15 bytes, `int3`. */
function isPadding(code: Uint8Array, from: number, limit: number): boolean {
  let at = from;
  while (at < limit) {
    while (code[at] === 0x66 || code[at] === 0x2e) at++;
    const opcode = code[at++];
    if (opcode === 0x90 || opcode === 0xcc) continue;
    if (opcode !== 0x0f || code[at] !== 0x1f) return false;
    // ModRM without a displacement, with one of 1 byte and with one of 4; 4 as register is followed by a SIB byte.
    const modrm = code[at + 1];
    at += 2 + ((modrm & 7) === 4 ? 1 : 0) + (modrm >> 6 === 1 ? 1 : modrm >> 6 === 2 ? 4 : 0);
  }
  return at === limit;
}

function relative32(code: Uint8Array, at: number): number {
  return code[at] | code[at + 1] << 8 | code[at + 2] << 16 | code[at + 3] << 24;
}

/** What follows the opcode of a VEX or EVEX instruction of opcode map 1, 2 or 3. */
function vectorKind(map: number, opcode: number): number {
  if (map === 1) return TWO_BYTE[opcode] & ~(IMMZ | BRANCH);
  if (map === 3) return MODRM | IMM8;
  return MODRM;
}
