import {
  type CodeDecoder,
  CONDITIONAL,
  type FoundCall,
  INDIRECT,
  JUMP,
  type Jump,
  NO_JUMP,
  RETURN,
} from "./code_decoder.ts";
import { R_AARCH64_CALL26, R_AARCH64_JUMP26 } from "./constants.ts";

/** arm64: instructions of 4 bytes. */
export const ARM64_CODE: CodeDecoder = {
  callLength: 4,
  scan,
  callRelocations: { [R_AARCH64_CALL26]: 0, [R_AARCH64_JUMP26]: 0 },
  isTailCall: (code, offset) => (code[offset + 3] & 0xfc) === 0x14,
  findJump,
  isPadding,
};

/** `BL` and `B` with a word offset of 26 bits. */
function scan(code: Uint8Array, target: number, found: FoundCall): void {
  const last = code.length - 4;
  for (let at = 0; at <= last; at += 4) {
    const top = code[at + 3] & 0xfc;
    if (top !== 0x94 && top !== 0x14) continue;
    const words = wordAt(code, at) << 6 >> 6;
    if (at + words * 4 === target) found(at, top === 0x14);
  }
}

/** `B`, `B.cond`, `CBZ`, `CBNZ`, `TBZ`, `TBNZ`; `BR`, `RET` and `ERET`, and their authenticated forms. */
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
  for (let at = from; at + 4 <= end; at += 4) {
    const top = code[at + 3];
    let kind = NO_JUMP, words = 0;
    if ((top & 0xfc) === 0x14) {
      kind = JUMP;
      words = wordAt(code, at) << 6 >> 6;
    } else if (top === 0x54 || (top & 0x7e) === 0x34) {
      kind = CONDITIONAL;
      words = wordAt(code, at) << 8 >> 13;
    } else if ((top & 0x7e) === 0x36) {
      kind = CONDITIONAL;
      words = wordAt(code, at) << 13 >> 18;
    } else if (top === 0xd6 || top === 0xd7) {
      // Unconditional branch (register): opc in bits 24 to 21; 1 is BLR, a call, and bit 24 adds a key.
      const opc = (code[at + 2] >> 5) & 7;
      if (opc === 0) kind = INDIRECT;
      else if (opc === 1) jump.calls?.push(at + 4, -1);
      else if (opc === 2 || opc === 4) kind = RETURN;
    } else if ((top & 0xfc) === 0x94) {
      jump.calls?.push(at + 4, at + (wordAt(code, at) << 6 >> 6) * 4);
    }
    if (kind === NO_JUMP) continue;
    jump.kind = kind;
    if (words !== 0) jump.target = at + words * 4;
    jump.end = at + 4;
    return;
  }
  jump.end = end;
}

/** `NOP` and zeros. */
function isPadding(code: Uint8Array, from: number, limit: number): boolean {
  for (let at = from; at < limit; at += 4) {
    const word = wordAt(code, at);
    if (word !== 0xd503201f >> 0 && word !== 0) return false;
  }
  return true;
}

function wordAt(code: Uint8Array, at: number): number {
  return code[at] | code[at + 1] << 8 | code[at + 2] << 16 | code[at + 3] << 24;
}
