import type { Address } from "../../base/address.ts";
import { KCOV_CMP } from "../abi.ts";

/**
 * What was compared, in columns. A comparison is a place in code, or one case of a `switch` there; its pairs are the
 * operands that it met. Of each comparison and origin a limited number of pairs is kept; the others are counted.
 *
 * @see `KCOV_TRACE_CMP` in `include/uapi/linux/kcov.h` and `write_comp_data` in `kernel/kcov.c` of Linux
 *
 * @example
 * ```ts
 * import type { Comparisons } from "kernelcov";
 * function pairsOf({ pairEnd }: Comparisons, comparison: number): number {
 *   return pairEnd[comparison] - (comparison === 0 ? 0 : pairEnd[comparison - 1]);
 * }
 * console.assert(pairsOf({ pairEnd: Uint32Array.of(2, 5) } as Comparisons, 1) === 3);
 * ```
 */
export interface Comparisons {
  /** Of each comparison its raw PC: the return address of its callback; ascending, cases of a `switch` together. */
  readonly pcs: Float64Array<ArrayBuffer> & ArrayLike<Address>;
  /** Of each comparison its type as KCOV has it: bit 0, the first operand is a constant; bits 1 and 2, the operands' size, as a power of 2 bytes. */
  readonly types: Uint8Array<ArrayBuffer>;
  /** Of each comparison how often it was made with pairs that are not kept. */
  readonly more: Uint32Array<ArrayBuffer>;
  /** Of each comparison the index behind its last pair; its pairs begin where those of the one before end. */
  readonly pairEnd: Uint32Array<ArrayBuffer>;
  /** Of each pair its first operand: the constant where there is one. */
  readonly first: BigUint64Array<ArrayBuffer>;
  /** Of each pair its second operand. */
  readonly second: BigUint64Array<ArrayBuffer>;
  /** Of each pair how often it was compared; 2^32 - 1 stands for more. */
  readonly times: Uint32Array<ArrayBuffer>;
  /** Of each pair what made the kernel compare it: an origin of 16 bits, as points have it. */
  readonly origins: Uint16Array<ArrayBuffer>;
  /** Comparisons that found no room, as far as they were counted. */
  readonly lost: number;
}

/** Whether the first operand is a constant of the code. */
export function isConstant(type: number): boolean {
  return (type & KCOV_CMP.constant) !== 0;
}

/** Size of the operands in bytes: 1, 2, 4 or 8. */
export function sizeOf(type: number): number {
  return 1 << (type >>> KCOV_CMP.sizeShift & 3);
}

/** No comparisons. */
export function noComparisons(): Comparisons {
  return {
    pcs: new Float64Array(0),
    types: new Uint8Array(0),
    more: new Uint32Array(0),
    pairEnd: new Uint32Array(0),
    first: new BigUint64Array(0),
    second: new BigUint64Array(0),
    times: new Uint32Array(0),
    origins: new Uint16Array(0),
    lost: 0,
  };
}
