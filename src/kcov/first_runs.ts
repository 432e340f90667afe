/**
 * Code is told apart in stretches of so many bytes, some four functions: an order of all points would take as much room
 * as the points do.
 */
const STRETCH = 1024;

/** Where the stretch of code begins that a PC is in. */
export function stretchOf(pc: number): number {
  return Math.floor(pc / STRETCH) * STRETCH;
}

/** The stretches of some PCs, each once, in the order of the PCs. */
export function stretchesOf(pcs: Float64Array): Float64Array<ArrayBuffer> {
  const seen = new Set<number>();
  let last = NaN;
  for (let i = 0; i < pcs.length; i++) {
    const stretch = stretchOf(pcs[i]);
    // Mostly the one before.
    if (stretch !== last) seen.add(last = stretch);
  }
  return Float64Array.from(seen);
}
