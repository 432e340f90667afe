import {
  type ComparedPlace,
  comparedPlaces,
  isComparedAt,
} from "../coverage/comparisons/compared_places.ts";
import type { Comparisons } from "../kcov/comparisons/comparisons.ts";
import { selectPairs } from "../coverage/comparisons/select_pairs.ts";
import { KCOV_CALL, KCOV_CALL_MASK } from "../kcov/origin.ts";
import type { Symbolizer } from "./symbolizer.ts";

/** Operands that the kernel compared. */
export interface OperandPair {
  /** The constant, where there is one. */
  readonly first: bigint;
  /** What it was compared with. */
  readonly second: bigint;
  /** How often. */
  readonly times: number;
  /** The system call, such as `openat`; absent where the kernel does not tell. */
  readonly call?: string;
}

/** A comparison in the kernel's code, or one case of a `switch`, and what it met in a test. */
export interface KernelComparison {
  /** Source file, relative to the kernel's root; empty where it is not known. */
  readonly file: string;
  /** Number of the line; 0 where it is not known. */
  readonly line: number;
  /** Name of the function; empty where it is not known. */
  readonly function: string;
  /** Size of the operands in bytes: 1, 2, 4 or 8. */
  readonly size: number;
  /** What the code compares with; absent where both operands are values. */
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
