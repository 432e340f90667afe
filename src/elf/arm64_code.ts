import type { CodeDecoder, FoundCall } from "./code_decoder.ts";
import { R_AARCH64_CALL26, R_AARCH64_JUMP26 } from "./constants.ts";

/** arm64: instructions of 4 bytes. */
export const ARM64_CODE: CodeDecoder = {
  callLength: 4,
  scan,
  callRelocations: { [R_AARCH64_CALL26]: 0, [R_AARCH64_JUMP26]: 0 },
  isTailCall: (code, offset) => (code[offset + 3] & 0xfc) === 0x14,
  blockEnd,
  isReturn,
};

/** `BL` and `B` with a word offset of 26 bits. */
function scan(code: Uint8Array, target: number, found: FoundCall): void {
  const last = code.length - 4;
  for (let at = 0; at <= last; at += 4) {
    const top = code[at + 3] & 0xfc;
    if (top !== 0x94 && top !== 0x14) continue;
    const words = (code[at] | code[at + 1] << 8 | code[at + 2] << 16 | code[at + 3] << 24) << 6 >>
      6;
    if (at + words * 4 === target) found(at, top === 0x14);
  }
}

/** Stops at `B`, `BR`, `RET` and `ERET`, and at their authenticated forms. */
function blockEnd(code: Uint8Array, from: number, limit: number): number {
  const end = Math.min(limit, code.length);
  for (let at = from; at + 4 <= end; at += 4) {
    const top = code[at + 3];
    if ((top & 0xfc) === 0x14) return at + 4;
    if (top !== 0xd6 && top !== 0xd7) continue;
    // Unconditional branch (register): opc in bits 24 to 21; 1 is BLR, a call, and bit 24 adds a key.
    const opc = (code[at + 2] >> 5) & 7;
    if (opc === 0 || opc === 2 || opc === 4) return at + 4;
  }
  return end;
}

/** `RET`, plain or authenticated. */
function isReturn(code: Uint8Array, end: number): boolean {
  const top = code[end - 1];
  return (top === 0xd6 || top === 0xd7) && ((code[end - 2] >> 5) & 7) === 2;
}
