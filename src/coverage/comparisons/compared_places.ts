import type { Address } from "../../base/address.ts";
import { type Comparisons, isConstant, sizeOf } from "../../kcov/comparisons/comparisons.ts";

/** A function and a line in it. */
export interface ComparedFrame {
  readonly function: string;
  readonly file: string;
  readonly line: number;
}

/** Two operands that were compared. */
export interface ComparedPair {
  /** The constant, where there is one. */
  readonly first: bigint;
  readonly second: bigint;
  /** How often; 2^32 - 1 stands for more. */
  readonly times: number;
  /** What made the kernel compare them, as an origin of points. */
  readonly origin: number;
}

/** A comparison of the code, or one case of a `switch`, and what it met. */
export interface ComparedPlace {
  readonly pc: Address;
  /** The line and the functions around it, innermost first; empty where they are not known. */
  readonly frames: readonly ComparedFrame[];
  /** Size of the operands in bytes. */
  readonly size: number;
  /** What the code compares with; absent where both operands are values. */
  readonly constant?: bigint;
  /** Whether it is a case of a `switch` that has others. */
  readonly isCase: boolean;
  /** The most frequent first. */
  readonly pairs: readonly ComparedPair[];
  /** How often it was compared with pairs that are not among these. */
  readonly more: number;
  /** How often it was compared. */
  readonly times: number;
  /** How often the operands were equal, at least. */
  readonly equal: number;
}

/** Comparisons one by one, by file and line; those without a place last. */
export function comparedPlaces(
  comparisons: Comparisons,
  frames: ReadonlyMap<Address, readonly ComparedFrame[]>,
): ComparedPlace[] {
  const { pcs, types, more, pairEnd, first, second, times, origins } = comparisons;
  const places: ComparedPlace[] = [];
  let pair = 0;
  for (let at = 0; at < pcs.length; at++) {
    const pc = pcs[at], hasConstant = isConstant(types[at]);
    const pairs: ComparedPair[] = [];
    let sum = more[at], equal = 0;
    for (; pair < pairEnd[at]; pair++) {
      pairs.push({
        ...{ first: first[pair], second: second[pair] },
        ...{ times: times[pair], origin: origins[pair] },
      });
      sum += times[pair];
      if (first[pair] === second[pair]) equal += times[pair];
    }
    places.push({
      pc,
      frames: frames.get(pc) ?? [],
      size: sizeOf(types[at]),
      ...hasConstant && pairs.length > 0 ? { constant: pairs[0].first } : {},
      isCase: hasConstant && (pcs[at - 1] === pc || pcs[at + 1] === pc),
      pairs,
      more: more[at],
      times: sum,
      equal,
    });
  }
  return places.map((place, at) => ({ place, at })).sort((a, b) =>
    compareLines(a.place, b.place) || a.at - b.at
  ).map(({ place }) => place);
}

function compareLines({ frames: [a] }: ComparedPlace, { frames: [b] }: ComparedPlace): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1;
}

/** Whether a comparison is at `FILE:LINE`, in a file or in a function; of what is inlined, also where it is called. */
export function isComparedAt(place: string): (compared: ComparedPlace) => boolean {
  const line = /^(.+):(\d+)$/.exec(place);
  if (line !== null) {
    const [, file, number] = line;
    return ({ frames }) =>
      frames.some((frame) => isFile(frame.file, file) && frame.line === Number(number));
  }
  if (/[/.]/.test(place)) return ({ frames }) => frames.some(({ file }) => isFile(file, place));
  return ({ frames }) => frames.some((frame) => frame.function === place);
}

/** The end of a path is enough. */
function isFile(path: string, wanted: string): boolean {
  return path === wanted || path.endsWith(`/${wanted}`);
}
