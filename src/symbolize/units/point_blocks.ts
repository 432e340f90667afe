import { grown } from "../../base/grow.ts";
import { lowerBound } from "../../base/search.ts";
import type { CodeTree } from "../../dwarf/code_tree.ts";

/** Where the block of code that an address begins ends. */
export interface BlockLimits {
  /** Looks for the end of the block that begins at `address`: at most `limit`. */
  find(address: number, limit: number): void;
  /** Of the block found: behind its last instruction. */
  readonly end: number;
  /** Of the block found: whether its last instruction is a return. */
  readonly endsInReturn: boolean;
}

/** The block of code of each coverage point of a unit: what ran if the point was reached. */
export class PointBlocks {
  start = new Float64Array(1024);
  end = new Float64Array(1024);
  /** 1 where the block begins with its function's first instruction, and where it ends in a return. */
  opens = new Uint8Array(1024);
  returns = new Uint8Array(1024);

  /**
   * Limits each block by the next point, the end of its function and the first jump.
   *
   * @param points Ascending.
   */
  find(tree: CodeTree, points: Float64Array, limits: BlockLimits): void {
    const { rangeCount, rangeEntry, rangeLow, rangeHigh, inlined } = tree;
    const count = points.length;
    this.start = grown(this.start, count);
    this.end = grown(this.end, count);
    this.opens = grown(this.opens, count);
    this.returns = grown(this.returns, count);
    const { start, end, opens, returns } = this;
    for (let at = 0; at < count; at++) {
      start[at] = points[at];
      end[at] = points[at] + 1;
      opens[at] = 0;
    }
    for (let range = 0; range < rangeCount; range++) {
      if (inlined[rangeEntry[range]] === 1) continue;
      const first = lowerBound(points, rangeLow[range]);
      const next = lowerBound(points, rangeHigh[range], first);
      if (first === next) continue;
      for (let at = first; at < next; at++) end[at] = rangeHigh[range];
      // The code before a function's first point is its entry: it ran if the point was reached.
      start[first] = rangeLow[range];
      // Further ranges of a function are parts that the compiler moved out of the way.
      opens[first] = range === 0 || rangeEntry[range - 1] !== rangeEntry[range] ? 1 : 0;
    }
    for (let at = 0; at < count; at++) {
      const limit = at + 1 < count ? Math.min(end[at], points[at + 1]) : end[at];
      limits.find(points[at], limit);
      end[at] = limits.end;
      returns[at] = limits.endsInReturn ? 1 : 0;
    }
  }
}
