import { lowerBound } from "../base/search.ts";
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
  /** One bit per line that was met: cheaper to go through than a list is to sort. */
  readonly #met: Uint32Array;

  constructor(universe: Universe) {
    const lines = universe.linePoints.length;
    this.#universe = universe;
    this.#sum = new Float64Array(lines);
    this.#inner = new Float64Array(lines);
    this.#direct = new Uint8Array(lines);
    this.#container = new Uint32Array(lines);
    this.#pointsHit = new Uint32Array(lines);
    this.#met = new Uint32Array((lines + 31) >>> 5);
  }

  /** The lines that `hits` executed. */
  count(hits: PointHits): LineHits {
    const { image, linePoints, claimDirect, lineIndirect, pointContainer, rankPoint } =
      this.#universe;
    const { claimStart, claimLine } = image;
    const sum = this.#sum, inner = this.#inner, container = this.#container;
    const direct = this.#direct, pointsHit = this.#pointsHit, met = this.#met;
    const { ranks, counts: hitCounts } = this.#countsByRank(hits);
    let metCount = 0;
    for (let i = 0; i < ranks.length; i++) {
      const point = rankPoint[ranks[i]];
      const count = hitCounts === null ? 1 : hitCounts[i];
      const holder = pointContainer[point] + 1;
      const end = claimStart[point + 1];
      for (let c = claimStart[point]; c < end; c++) {
        const line = claimLine[c];
        if (linePoints[line] === 0) continue;
        if (container[line] !== holder) {
          if (container[line] === 0) {
            met[line >>> 5] |= 1 << (line & 31);
            metCount++;
          }
          sum[line] += inner[line];
          inner[line] = count;
          direct[line] = claimDirect[c];
          container[line] = holder;
        } else if (claimDirect[c] === 1 && (direct[line] === 0 || count > inner[line])) {
          inner[line] = count;
          direct[line] = 1;
        }
        pointsHit[line] += claimDirect[c];
      }
    }

    const lines = new Uint32Array(metCount);
    const counts = new Float64Array(metCount);
    const hit = new Uint32Array(metCount);
    for (let word = 0, i = 0; i < metCount; word++) {
      for (let bits = met[word]; bits !== 0; bits &= bits - 1) {
        const line = 32 * word + 31 - Math.clz32(bits & -bits);
        lines[i] = line;
        counts[i] = hits.hits === null ? 1 : sum[line] + inner[line];
        // A line with indirect claims only counts as one point, and it was met.
        hit[i++] = lineIndirect[line] === 1 ? 1 : pointsHit[line];
        sum[line] =
          inner[line] =
          container[line] =
          pointsHit[line] =
            0;
      }
      met[word] = 0;
    }
    return { lines, counts, pointsHit: hit };
  }

  /** The points of `hits` in the order of their compiled functions, with their counts. */
  #countsByRank(hits: PointHits): { ranks: Uint32Array; counts: Uint32Array | null } {
    const { pointRank, rankPoint } = this.#universe;
    const ranks = new Uint32Array(hits.points.length);
    let ascending = true;
    for (let i = 0; i < ranks.length; i++) {
      ranks[i] = pointRank[hits.points[i]];
      if (i > 0 && ranks[i] < ranks[i - 1]) ascending = false;
    }
    if (ascending) return { ranks, counts: hits.hits };
    ranks.sort();
    if (hits.hits === null) return { ranks, counts: null };
    const counts = new Uint32Array(ranks.length);
    let at = 0;
    for (let i = 0; i < ranks.length; i++) {
      const point = rankPoint[ranks[i]];
      // Points ascend within a compiled function, so the next one is mostly the neighbour.
      if (hits.points[at] !== point) at = lowerBound(hits.points, point);
      counts[i] = hits.hits[at++];
    }
    return { ranks, counts };
  }
}
