import { cleared } from "../../base/grow.ts";
import { lowerBound } from "../../base/search.ts";
import type { LineHeader } from "../../dwarf/line_header.ts";
import { LineRows } from "../../dwarf/line_program.ts";
import type { PointBlocks } from "./point_blocks.ts";

/** The row of a unit's line table that covers each address and, where asked for, the rows of the address's block. */
export class AddressRows {
  /** All rows of the table, where blocks are asked for. */
  readonly table = new LineRows();
  /** File, an index in the line table, and line of the address's row; file -1 where there is none. */
  file = new Int32Array(1024);
  line = new Int32Array(1024);
  /** First row of the block in {@linkcode table}, and the one behind its last. */
  start = new Int32Array(1024);
  end = new Int32Array(1024);

  /** Forgets all rows; `count` addresses then have none. */
  clear(count: number): void {
    this.table.clear();
    this.file = cleared(this.file, count);
    this.line = cleared(this.line, count);
    this.start = cleared(this.start, count);
    this.end = cleared(this.end, count);
  }

  /**
   * Finds the row of each address, of which nothing is known yet.
   *
   * @param addresses Ascending.
   */
  find(header: LineHeader, addresses: Float64Array): void {
    this.table.find(header, addresses, this.file, this.line);
  }

  /** As {@linkcode find}, from a {@linkcode table} that was read, and finds the rows of each block. */
  findWithBlocks(addresses: Float64Array, blocks: PointBlocks): void {
    const rows = this.table;
    const { address: rowAddress, sequenceFirst, sequenceEnd } = rows;
    const files = this.file, lines = this.line, rowStarts = this.start, rowEnds = this.end;
    const starts = blocks.start, ends = blocks.end;
    const count = addresses.length;
    // Where sequences overlap the one that ends first counts, as for llvm-symbolizer: it comes last here.
    const order = Array.from({ length: rows.sequenceCount }, (_, sequence) => sequence);
    order.sort((a, b) => rowAddress[sequenceEnd[b]] - rowAddress[sequenceEnd[a]]);
    for (const sequence of order) {
      const first = sequenceFirst[sequence], last = sequenceEnd[sequence];
      const high = rowAddress[last];
      let row = first;
      let at = lowerBound(addresses, rowAddress[row], 0, count);
      for (; at < count && addresses[at] < high; at++) {
        const address = addresses[at];
        while (row + 1 < last && rowAddress[row + 1] <= address) row++;
        files[at] = rows.file[row];
        lines[at] = rows.line[row];
        let start = row, end = row + 1;
        while (start > first && rowAddress[start - 1] >= starts[at]) start--;
        if (start > first && rowAddress[start] > starts[at]) start--;
        while (end < last && rowAddress[end] < ends[at]) end++;
        rowStarts[at] = start;
        rowEnds[at] = end;
      }
    }
  }
}
