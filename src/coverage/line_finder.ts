import type { Universe } from "./universe.ts";

/** Finds the lines of points, at the cost of these and not of all lines: for many questions about few points. */
export class LineFinder {
  readonly #universe: Universe;
  readonly #isMet: Uint8Array;
  readonly #met: Uint32Array;

  constructor(universe: Universe) {
    this.#universe = universe;
    this.#isMet = new Uint8Array(universe.linePoints.length);
    this.#met = new Uint32Array(universe.linePoints.length);
  }

  /** Ids of the lines that any of `points` claims, ascending. */
  linesOf(points: Uint32Array): Uint32Array {
    const { image: { claimStart, claimLine }, linePoints } = this.#universe;
    const isMet = this.#isMet, met = this.#met;
    let count = 0;
    for (let i = 0; i < points.length; i++) {
      const point = points[i];
      const end = claimStart[point + 1];
      for (let claim = claimStart[point]; claim < end; claim++) {
        const line = claimLine[claim];
        if (isMet[line] === 1 || linePoints[line] === 0) continue;
        isMet[line] = 1;
        met[count++] = line;
      }
    }
    const lines = met.slice(0, count).sort();
    for (let i = 0; i < count; i++) isMet[lines[i]] = 0;
    return lines;
  }
}
