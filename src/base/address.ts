/**
 * A kernel address as a number: the signed value of its 64 bits. Every kernel address fits exactly:
 * 64-bit kernels live within 2^53 of the top of the address space (so the number is negative),
 * a user-mode kernel at 0x60000000 and above (so it is positive).
 *
 * @see <https://docs.kernel.org/arch/x86/x86_64/mm.html>, where kernels are in memory
 *
 * @example
 * ```ts
 * import type { Address } from "kernelcov";
 * const text: Address = -0x7f000000; // 0xffffffff81000000
 * console.assert(BigInt.asUintN(64, BigInt(text)) === 0xffffffff81000000n);
 * ```
 */
export type Address = number;

/** The address whose 32-bit halves are `low` and `high`. Exact for all kernel addresses; no bigint. */
export function addressFromHalves(low: number, high: number): Address {
  return (high | 0) * 0x1_0000_0000 + (low >>> 0);
}

/** `0x` and the unsigned hexadecimal form that `/proc/kallsyms`, gdb and objdump print. */
export function formatAddress(address: Address): string {
  if (address >= 0) return `0x${address.toString(16)}`;
  const high = Math.floor(address / 0x1_0000_0000) >>> 0;
  const low = address - Math.floor(address / 0x1_0000_0000) * 0x1_0000_0000;
  return `0x${high.toString(16)}${low.toString(16).padStart(8, "0")}`;
}

/** Whether a number is an address, and not another one's nearest: no kernel has code where they are not exact. */
export function isExactAddress(address: Address): boolean {
  return address < 2 ** 53 && address > -(2 ** 53);
}

/**
 * Reads a hexadecimal address with or without `0x`; `undefined` where `text` is not one, has more than 64 bits, or where
 * no kernel has code.
 */
export function parseAddress(text: string): Address | undefined {
  const digits = /^\s*(?:0[xX])?([0-9a-fA-F]{1,16})\s*$/.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const padded = digits.padStart(16, "0");
  const low = parseInt(padded.slice(8), 16), high = parseInt(padded.slice(0, 8), 16);
  const address = addressFromHalves(low, high);
  return isExactAddress(address) ? address : undefined;
}
