import type { PointHits } from "./point_hits.ts";
import type { Universe } from "./universe.ts";

/** The lines that one test hit, in columns. */
export interface LineHits {
  /** Line ids, ascending. */
  readonly lines: Uint32Array;
  /** How often each was executed, as far as its points tell: see {@linkcode LineCounter}. */
  readonly counts: Float64Array;
  /** How many of each line's points, `linePoints` of the universe, were hit. */
  readonly pointsHit: Uint32Array;
}

/**
 * Turns a test's points into lines. Keeps scratch columns as long as the universe, so that a test costs what it
 * hit and not what exists.
 *
 * A line's count is what gcov would give as nearly as points allow: within one compiled function the largest
 * count of the points that claim the line directly (they are blocks of the same statement, passed one after the
 * other), or else of the first point that claims it indirectly (the entry of the call inlined there); and the sum
 * of that over the compiled functions that hold a copy of the line (an inline function of a header). Where the
 * kernel stored each PC once, a line that was hit counts 1.
 */
export class LineCounter {
  readonly #universe: Universe;
  readonly #sum: Float64Array;
  /** Count within the compiled function being visited. */
  readonly #inner: Float64Array;
  /** Whether `#inner` comes from a direct claim. */
  readonly #direct: Uint8Array;
  /** Compiled function that `#inner` belongs to, plus 1; 0 where the line was not met. */
  readonly #container: Uint32Array;
  readonly #pointsHit: Uint32Array;
  readonly #touched: Uint32Array;

  constructor(universe: Universe) {
    const lines = universe.linePoints.length;
    this.#universe = universe;
    this.#sum = new Float64Array(lines);
    this.#inner = new Float64Array(lines);
    this.#direct = new Uint8Array(lines);
    this.#container = new Uint32Array(lines);
    this.#pointsHit = new Uint32Array(lines);
    this.#touched = new Uint32Array(lines);
  }

  /** The lines that `hits` executed. */
  count(hits: PointHits): LineHits {
    const { image, linePoints, claimDirect, lineIndirect, pointContainer, rankPoint } =
      this.#universe;
    const { claimStart, claimLine } = image;
    const sum = this.#sum, inner = this.#inner, container = this.#container;
    const direct = this.#direct, pointsHit = this.#pointsHit, touched = this.#touched;
    const countOf = this.#countsByRank(hits);
    let touchedCount = 0;
    for (let i = 0; i < countOf.ranks.length; i++) {
      const point = rankPoint[countOf.ranks[i]!]!;
      const count = countOf.counts === null ? 1 : countOf.counts[i]!;
      const holder = pointContainer[point]! + 1;
      const end = claimStart[point + 1]!;
      for (let c = claimStart[point]!; c < end; c++) {
        const line = claimLine[c]!;
        if (linePoints[line] === 0) continue;
        if (container[line] !== holder) {
          if (container[line] === 0) touched[touchedCount++] = line;
          sum[line]! += inner[line]!;
          inner[line] = count;
          direct[line] = claimDirect[c]!;
          container[line] = holder;
        } else if (claimDirect[c] === 1 && (direct[line] === 0 || count > inner[line]!)) {
          inner[line] = count;
          direct[line] = 1;
        }
        pointsHit[line]! += claimDirect[c]!;
      }
    }

    const lines = touched.slice(0, touchedCount).sort();
    const counts = new Float64Array(touchedCount);
    const hit = new Uint32Array(touchedCount);
    for (let i = 0; i < touchedCount; i++) {
      const line = lines[i]!;
      counts[i] = hits.hits === null ? 1 : sum[line]! + inner[line]!;
      // A line with indirect claims only counts as one point, and it was met.
      hit[i] = lineIndirect[line] === 1 ? 1 : pointsHit[line]!;
      sum[line] =
        inner[line] =
        container[line] =
        pointsHit[line] =
          0;
    }
    return { lines, counts, pointsHit: hit };
  }

  /** The points of `hits` in the order of their compiled functions, with their counts. */
  #countsByRank(hits: PointHits): { ranks: Uint32Array; counts: Uint32Array | null } {
    const { pointRank, rankPoint } = this.#universe;
    const ranks = new Uint32Array(hits.points.length);
    for (let i = 0; i < ranks.length; i++) ranks[i] = pointRank[hits.points[i]!]!;
    ranks.sort();
    if (hits.hits === null) return { ranks, counts: null };
    const counts = new Uint32Array(ranks.length);
    let at = 0;
    for (let i = 0; i < ranks.length; i++) {
      const point = rankPoint[ranks[i]!]!;
      // Points ascend within a compiled function, so the next one is mostly the neighbour.
      if (hits.points[at] !== point) at = indexOf(hits.points, point);
      counts[i] = hits.hits[at++]!;
    }
    return { ranks, counts };
  }
}

function indexOf(sorted: Uint32Array, value: number): number {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
