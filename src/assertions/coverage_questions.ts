import type { DecodedPcs } from "../kcov/decode_pcs.ts";
import type { Symbolizer } from "./symbolizer.ts";

/**
 * How often the function's most-run coverage point ran; 0 where none ran.
 *
 * @throws {RangeError} Where no point can tell of it.
 */
export function hitsOf(symbolizer: Symbolizer, { pcs, hits }: DecodedPcs, name: string): number {
  let most = 0;
  for (let index = 0; index < pcs.length; index++) {
    if (hits[index] <= most) continue;
    if (symbolizer.functionsOf(pcs[index]).includes(name)) most = hits[index];
  }
  // Nothing was hit of it: but could it have been?
  if (most === 0) symbolizer.checkFunction(name);
  return most;
}

/**
 * Whether any coverage point of the function ran.
 *
 * @throws {RangeError} Where no point can tell of it.
 */
export function hasReached(
  symbolizer: Symbolizer,
  { pcs }: Pick<DecodedPcs, "pcs">,
  name: string,
): boolean {
  for (const pc of pcs) if (symbolizer.functionsOf(pc).includes(name)) return true;
  symbolizer.checkFunction(name);
  return false;
}

/** Names of the functions that ran, sorted. */
export function functionsOf(symbolizer: Symbolizer, { pcs }: Pick<DecodedPcs, "pcs">): string[] {
  const names = new Set<string>();
  for (const pc of pcs) {
    for (const name of symbolizer.functionsOf(pc)) names.add(name);
  }
  return [...names].sort();
}

/**
 * Numbers of the lines that ran in a source file, ascending.
 *
 * @throws {RangeError} Where no point can tell of the file.
 */
export function linesOf(
  symbolizer: Symbolizer,
  { pcs }: Pick<DecodedPcs, "pcs">,
  file: string,
): number[] {
  const lines = new Set<number>();
  for (const pc of pcs) {
    for (const line of symbolizer.linesOf(pc)) {
      if (line.file === file) lines.add(line.line);
    }
  }
  if (lines.size === 0) symbolizer.checkFile(file);
  return [...lines].sort((first, second) => first - second);
}
