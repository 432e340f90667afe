import { cleared } from "../../base/grow.ts";
import type { CodeTree } from "../../dwarf/code_tree.ts";

/**
 * Finds the innermost function or inlined call of each address by painting: the ranges of all are laid over the sorted
 * addresses in the order of the file, outer before inner, so the last to touch an address is its innermost. No tree of
 * ranges is built and nothing is searched per address.
 */
export class CallPainter {
  /** Innermost entry of the tree per address; -1 where there is none. */
  entry = new Int32Array(1024);

  /** @param addresses Those that the tree was read for. */
  paint(tree: CodeTree, addresses: Float64Array): void {
    const { rangeCount, rangeEntry, rangeFirst, rangeHigh } = tree;
    const count = addresses.length;
    const entries = this.entry = cleared(this.entry, count);
    for (let range = 0; range < rangeCount; range++) {
      const entry = rangeEntry[range], high = rangeHigh[range];
      for (let at = rangeFirst[range]; at < count && addresses[at] < high; at++) {
        entries[at] = entry;
      }
    }
  }
}
