/**
 * The end of the straight piece of arm64 code that begins at `from`: behind its first `B`, `BR`, `RET` or `ERET`
 * (their authenticated forms too), at most `limit`.
 */
export function arm64BlockEnd(code: Uint8Array, from: number, limit: number): number {
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

/** Whether the instruction that ends at `end` is `RET`, plain or authenticated. */
export function isArm64Return(code: Uint8Array, end: number): boolean {
  const top = code[end - 1];
  return (top === 0xd6 || top === 0xd7) && ((code[end - 2] >> 5) & 7) === 2;
}
