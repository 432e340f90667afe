import {
  type ComparedPlace,
  comparedPlaces,
  isComparedAt,
} from "../coverage/comparisons/compared_places.ts";
import type { Comparisons } from "../kcov/comparisons/comparisons.ts";
import { selectPairs } from "../coverage/comparisons/select_pairs.ts";
import { KCOV_CALL, KCOV_CALL_MASK } from "../kcov/origin.ts";
import type { Symbolizer } from "./symbolizer.ts";

/**
 * Operands that the kernel compared.
 *
 * @see `KCOV_TRACE_CMP` in <https://docs.kernel.org/dev-tools/kcov.html>
 *
 * @example
 * ```ts
 * import type { OperandPair } from "kernelcov";
 * const pair: OperandPair = { first: 0xef53n, second: 0n, times: 1, call: "mount" };
 * console.assert(pair.first !== pair.second); // not an ext4 file system
 * ```
 */
export interface OperandPair {
  /** First operand, without a sign: the constant, where there is one. */
  readonly first: bigint;
  /** Second operand, without a sign: what it was compared with. */
  readonly second: bigint;
  /** How often. */
  readonly times: number;
  /** The system call, such as `openat`; absent where the kernel does not tell. */
  readonly call?: string;
}

/**
 * A comparison in the kernel's code, or one case of a `switch`, and what it met in a test.
 *
 * @see `KCOV_CMP_CONST` and `KCOV_CMP_SIZE` in `include/uapi/linux/kcov.h` of Linux; `.debug_line` for its place
 *
 * @example
 * ```ts
 * import type { KernelComparison } from "kernelcov";
 * const neverEqual = ({ constant, equal, more }: KernelComparison) => constant !== undefined && equal === 0 && more === 0;
 * console.assert(
 *   neverEqual({ file: "fs/ext4/super.c", line: 5205, function: "ext4_load_super", size: 4, constant: 0xef53n, times: 1,
 *     equal: 0, pairs: [{ first: 0xef53n, second: 0n, times: 1 }], more: 0 }),
 * );
 * ```
 */
export interface KernelComparison {
  /** Source file, relative to the kernel's root; empty where it is not known. */
  readonly file: string;
  /** Number of the line; 0 where it is not known. */
  readonly line: number;
  /** Name of the function; empty where it is not known. */
  readonly function: string;
  /** Size of the operands in bytes: 1, 2, 4 or 8. */
  readonly size: number;
  /** The operand that is in the code, without a sign; absent where both are values. */
  readonly constant?: bigint;
  /** How often it was compared. */
  readonly times: number;
  /** How often the operands were equal, at least: exactly where `more` is 0. */
  readonly equal: number;
  /** Its pairs, the most frequent first; some tens at most of each call. */
  readonly pairs: readonly OperandPair[];
  /** How often it was compared with pairs that are not among these. */
  readonly more: number;
}

/**
 * What the test caused to be compared, by file and line.
 *
 * @param options `place`: `FILE:LINE`, a file or a function, all by default. `threadsShared`: other threads of the process
 * may have worked for other tests.
 * @throws {RangeError} Where the kernel has no such file or function.
 */
export function kernelComparisons(
  symbolizer: Symbolizer,
  comparisons: Comparisons,
  { place, threadsShared }: {
    readonly place?: string | undefined;
    readonly threadsShared: boolean;
  },
): KernelComparison[] {
  const caused = selectPairs(comparisons, (origin) => symbolizer.isCaused(origin, threadsShared));
  const places = comparedPlaces(caused, symbolizer.framesOf(caused.pcs));
  if (place === undefined) return places.map((one) => comparisonOf(symbolizer, one));
  const found = places.filter(isComparedAt(place));
  if (found.length === 0) checkPlace(symbolizer, place);
  return found.map((one) => comparisonOf(symbolizer, one));
}

/** Nothing was compared there: but could that have been told? */
function checkPlace(symbolizer: Symbolizer, place: string): void {
  const file = /^(.+):\d+$/.exec(place)?.[1];
  if (file !== undefined) symbolizer.checkFile(file);
  else if (/[/.]/.test(place)) symbolizer.checkFile(place);
  else symbolizer.checkFunction(place);
}

function comparisonOf(
  symbolizer: Symbolizer,
  { frames: [frame], size, constant, times, equal, pairs, more }: ComparedPlace,
): KernelComparison {
  return {
    file: frame?.file ?? "",
    line: frame?.line ?? 0,
    function: frame?.function ?? "",
    size,
    ...constant === undefined ? {} : { constant },
    times,
    equal,
    pairs: pairs.map(({ first, second, times, origin }) => ({
      first,
      second,
      times,
      ...(origin & KCOV_CALL_MASK) === KCOV_CALL.none ? {} : { call: symbolizer.callOf(origin) },
    })),
    more,
  };
}

/** What a record of points cannot tell. */
export function notCompared(): TypeError {
  return new TypeError(
    'Cannot tell what was compared: points are recorded: use { mode: "cmp" }, or kernelcov test --mode cmp',
  );
}

/** What a record of comparisons cannot tell. */
export function onlyCompared(): TypeError {
  return new TypeError(
    'Cannot tell which code ran: comparisons are recorded in its place: use { mode: "pc" }, or leave out --mode cmp',
  );
}
