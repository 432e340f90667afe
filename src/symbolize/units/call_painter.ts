import { cleared, grown } from "../../base/grow.ts";
import { lowerBound, upperBound } from "../../base/search.ts";
import type { CodeTree } from "../../dwarf/code_tree.ts";
import type { PointBlocks } from "./point_blocks.ts";

/**
 * Finds the innermost function or inlined call of each address by painting: the ranges of all are laid over the sorted
 * addresses in the order of the file, outer before inner, so the last to touch an address is its innermost. No tree of
 * ranges is built and nothing is searched per address.
 */
export class CallPainter {
  /** Innermost entry of the tree per address; -1 where there is none. */
  entry = new Int32Array(1024);
  /**
   * What begins within the block of an address, as lists: the address's first item, and per item the entry of an inlined
   * call or the complement of a label's number, and the next item; -1 ends.
   */
  firstEntered = new Int32Array(1024);
  enteredItem = new Int32Array(256);
  nextEntered = new Int32Array(256);
  #enteredCount = 0;

  /**
   * @param addresses Ascending.
   * @param blocks Those of the addresses, to find what begins in them too.
   */
  paint(tree: CodeTree, addresses: Float64Array, blocks?: PointBlocks): void {
    const { rangeCount, rangeEntry, rangeLow, rangeHigh, inlined } = tree;
    const count = addresses.length;
    this.entry = cleared(this.entry, count);
    this.#enteredCount = 0;
    if (blocks !== undefined) this.firstEntered = cleared(this.firstEntered, count);
    const entries = this.entry, ends = blocks?.end;
    for (let range = 0; range < rangeCount; range++) {
      const low = rangeLow[range], entry = rangeEntry[range];
      const first = lowerBound(addresses, low, 0, count);
      const high = rangeHigh[range];
      for (let at = first; at < count && addresses[at] < high; at++) entries[at] = entry;
      if (ends !== undefined && first > 0 && inlined[entry] === 1 && ends[first - 1] > low) {
        this.#addEntered(first - 1, entry);
      }
    }
    if (ends !== undefined) this.#findLabels(tree, addresses, ends);
  }

  #findLabels(
    { labelCount, labelAddress }: CodeTree,
    addresses: Float64Array,
    ends: Float64Array,
  ): void {
    for (let label = 0; label < labelCount; label++) {
      const at = upperBound(addresses, labelAddress[label]) - 1;
      if (at >= 0 && ends[at] > labelAddress[label]) this.#addEntered(at, ~label);
    }
  }

  #addEntered(at: number, item: number): void {
    const index = this.#enteredCount++;
    if (index === this.enteredItem.length) {
      this.enteredItem = grown(this.enteredItem, index + 1);
      this.nextEntered = grown(this.nextEntered, index + 1);
    }
    this.enteredItem[index] = item;
    this.nextEntered[index] = this.firstEntered[at];
    this.firstEntered[at] = index;
  }
}
