import type { DecodedPcs } from "../kcov/decode_pcs.ts";
import type { Symbolizer } from "./symbolizer.ts";

/** How often the function's most-run coverage point ran; 0 where none ran. */
export function hitsOf(symbolizer: Symbolizer, { pcs, hits }: DecodedPcs, name: string): number {
  let most = 0;
  for (let index = 0; index < pcs.length; index++) {
    if (hits[index] <= most) continue;
    if (symbolizer.functionsOf(pcs[index]).includes(name)) most = hits[index];
  }
  return most;
}

/** Names of the functions that ran, sorted. */
export function functionsOf(symbolizer: Symbolizer, { pcs }: DecodedPcs): string[] {
  const names = new Set<string>();
  for (const pc of pcs) {
    for (const name of symbolizer.functionsOf(pc)) names.add(name);
  }
  return [...names].sort();
}

/** Numbers of the lines that ran in a source file, ascending. */
export function linesOf(symbolizer: Symbolizer, { pcs }: DecodedPcs, file: string): number[] {
  const lines = new Set<number>();
  for (const pc of pcs) {
    for (const line of symbolizer.linesOf(pc)) {
      if (line.file === file) lines.add(line.line);
    }
  }
  return [...lines].sort((first, second) => first - second);
}
