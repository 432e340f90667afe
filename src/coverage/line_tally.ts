import type { LineCounter } from "./line_hits.ts";
import type { PointHits } from "./point_hits.ts";
import type { Universe } from "./universe.ts";

/** How many functions, lines and points were hit. The denominators are those of the universe. */
export interface HitTotals {
  /** Functions of which a line was hit. */
  readonly functions: number;
  readonly lines: number;
  /** Lines of which some points were hit and some not; they are in `lines` too. */
  readonly partialLines: number;
  readonly points: number;
}

/**
 * Adds up the lines of tests. Where the kernel stored each PC once, which is most runs, only whether a line ran is
 * asked, so that no counts are looked for: a run of thousands of tests has tens of millions of hits.
 */
export class LineTally {
  /** Per line, the sum of its counts over the tests. */
  readonly lineCount: Float64Array;
  /** Per line, the number of tests that hit it. */
  readonly lineTests: Uint32Array;
  readonly #universe: Universe;
  readonly #counter: LineCounter;
  /** Number of the last test that met the line or the group of functions. */
  readonly #lineMark: Uint32Array;
  readonly #groupMark: Uint32Array;
  readonly #pointsHit: Uint32Array;
  /** The lines that a test met. */
  readonly #met: Uint32Array;
  #mark = 0;

  constructor(universe: Universe, counter: LineCounter) {
    const lines = universe.linePoints.length;
    this.lineCount = new Float64Array(lines);
    this.lineTests = new Uint32Array(lines);
    this.#universe = universe;
    this.#counter = counter;
    this.#lineMark = new Uint32Array(lines);
    this.#groupMark = new Uint32Array(universe.functions.groupLine.length);
    this.#pointsHit = new Uint32Array(lines);
    this.#met = new Uint32Array(lines);
  }

  /** Adds a test and returns its totals. */
  add(hits: PointHits): HitTotals {
    const count = hits.hits === null ? this.#meet(hits.points) : this.#count(hits);
    const { linePoints, functions: { lineGroup, groupStart } } = this.#universe;
    const met = this.#met, pointsHit = this.#pointsHit, groupMark = this.#groupMark;
    const mark = this.#mark;
    let partialLines = 0, functions = 0, last = -1;
    for (let i = 0; i < count; i++) {
      const line = met[i];
      this.lineTests[line]++;
      if (pointsHit[line] < linePoints[line]) partialLines++;
      const group = lineGroup[line];
      if (group === last || group < 0) continue;
      last = group;
      if (groupMark[group] === mark) continue;
      groupMark[group] = mark;
      functions += groupStart[group + 1] - groupStart[group];
    }
    return { functions, lines: count, partialLines, points: hits.points.length };
  }

  /** Finds the lines that points hit; each counts once. */
  #meet(points: Uint32Array): number {
    const { image: { claimStart, claimLine }, linePoints, claimDirect, lineIndirect } =
      this.#universe;
    const lineMark = this.#lineMark, pointsHit = this.#pointsHit, met = this.#met;
    const { lineCount } = this;
    const mark = ++this.#mark;
    let count = 0;
    for (let i = 0; i < points.length; i++) {
      const point = points[i];
      const end = claimStart[point + 1];
      for (let c = claimStart[point]; c < end; c++) {
        const line = claimLine[c];
        if (lineMark[line] === mark) {
          pointsHit[line] += claimDirect[c];
          continue;
        }
        if (linePoints[line] === 0) continue;
        lineMark[line] = mark;
        // A line with indirect claims only counts as one point, and it was met.
        pointsHit[line] = claimDirect[c] | lineIndirect[line];
        lineCount[line]++;
        met[count++] = line;
      }
    }
    return count;
  }

  #count(hits: PointHits): number {
    const { lines, counts, pointsHit } = this.#counter.count(hits);
    this.#mark++;
    this.#met.set(lines);
    for (let i = 0; i < lines.length; i++) {
      this.#pointsHit[lines[i]] = pointsHit[i];
      this.lineCount[lines[i]] += counts[i];
    }
    return lines.length;
  }
}
