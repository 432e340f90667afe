import { FormatError } from "../errors.ts";
import {
  R_AARCH64_ABS32,
  R_AARCH64_ABS64,
  R_AARCH64_NONE,
  R_AARCH64_PREL32,
  R_AARCH64_PREL64,
  R_X86_64_32,
  R_X86_64_32S,
  R_X86_64_64,
  R_X86_64_PC32,
  R_X86_64_PC64,
} from "./constants.ts";
import type { SymbolTable } from "./symbols.ts";

export const RELA_SIZE = 24;

/** How a relocation type writes: bytes, and whether relative to its own place; 0 bytes for none. */
function relocationShape(machine: "x86-64" | "arm64", type: number): [number, boolean] | undefined {
  if (type === 0) return [0, false];
  if (machine === "x86-64") {
    if (type === R_X86_64_64) return [8, false];
    if (type === R_X86_64_32 || type === R_X86_64_32S) return [4, false];
    if (type === R_X86_64_PC32) return [4, true];
    if (type === R_X86_64_PC64) return [8, true];
    return undefined;
  }
  if (type === R_AARCH64_ABS64) return [8, false];
  if (type === R_AARCH64_ABS32) return [4, false];
  if (type === R_AARCH64_PREL32) return [4, true];
  if (type === R_AARCH64_PREL64) return [8, true];
  if (type === R_AARCH64_NONE) return [0, false];
  return undefined;
}

/**
 * Applies the RELA entries of a debug section to a copy of its bytes.
 *
 * @param target the section's bytes, written in place
 * @param address the section's own address, for relative types
 * @throws {FormatError} for an entry outside the section, an unknown type or an unknown symbol
 */
export function applyRelocations(
  target: Uint8Array,
  address: number,
  rela: Uint8Array,
  symbols: SymbolTable,
  machine: "x86-64" | "arm64",
  section: string,
): void {
  const count = Math.floor(rela.length / RELA_SIZE);
  const entries = new DataView(rela.buffer, rela.byteOffset, rela.byteLength);
  const out = new DataView(target.buffer, target.byteOffset, target.byteLength);
  let lastType = -1, width = 0, relative = false;
  for (let at = 0; at < count * RELA_SIZE; at += RELA_SIZE) {
    const place = entries.getUint32(at, true) + entries.getUint32(at + 4, true) * 0x1_0000_0000;
    const type = entries.getUint32(at + 8, true);
    if (type !== lastType) {
      const shape = relocationShape(machine, type);
      if (shape === undefined) {
        throw new FormatError("ELF", `unknown relocation type ${type}`, {
          section: `.rela${section}`,
          offset: at,
        });
      }
      [width, relative] = shape;
      lastType = type;
    }
    if (width === 0) continue;
    const symbol = entries.getUint32(at + 12, true);
    if (symbol >= symbols.count || place + width > target.length) {
      throw new FormatError("ELF", "relocation of nothing or of no symbol", {
        section: `.rela${section}`,
        offset: at,
      });
    }
    const addend = entries.getInt32(at + 20, true) * 0x1_0000_0000 +
      entries.getUint32(at + 16, true);
    const value = symbols.address[symbol] + addend - (relative ? address + place : 0);
    out.setUint32(place, value >>> 0, true);
    if (width === 8) out.setInt32(place + 4, Math.floor(value / 0x1_0000_0000), true);
  }
}
