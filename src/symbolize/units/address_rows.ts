import { cleared, grown } from "../../base/grow.ts";
import { lowerBound } from "../../base/search.ts";
import type { LineHeader } from "../../dwarf/line_header.ts";
import { LineRows } from "../../dwarf/line_program.ts";
import type { PointBlocks } from "./point_blocks.ts";

/** The row of a unit's line table that covers each address and, where asked for, the rows of blocks of code. */
export class AddressRows {
  /** All rows of the table, where blocks are asked for. */
  readonly table = new LineRows();
  /** File, an index in the line table, and line of the address's row; file -1 where there is none. */
  file = new Int32Array(1024);
  line = new Int32Array(1024);
  /**
   * Where blocks are asked for: 1 where the row is of the point's own block. Else it is one of the code before, which goes
   * on because the compiler gave the point no place.
   */
  isOwn = new Uint8Array(1024);
  /** By block: its first row in {@linkcode table}, and the one behind its last. */
  start = new Int32Array(1024);
  end = new Int32Array(1024);

  /** Forgets all rows; `count` addresses then have none. */
  clear(count: number): void {
    this.table.clear();
    this.file = cleared(this.file, count);
    this.line = cleared(this.line, count);
  }

  /**
   * Finds the row of each address, of which nothing is known yet.
   *
   * @param addresses Ascending.
   */
  find(header: LineHeader, addresses: Float64Array): void {
    this.table.find(header, addresses, this.file, this.line);
  }

  /** As {@linkcode find}, from a {@linkcode table} that was read, and finds the rows of the blocks. */
  findWithBlocks(addresses: Float64Array, blocks: PointBlocks): void {
    const rows = this.table;
    const { address: rowAddress, sequenceFirst, sequenceEnd } = rows;
    const files = this.file, lines = this.line;
    this.isOwn = grown(this.isOwn, addresses.length);
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
        const own = blocks.first[at] < blocks.last[at] ? blocks.block[blocks.first[at]] : -1;
        const isOwn = own >= 0 &&
          (rowAddress[row] >= blocks.start[own] || blocks.continues[own] === 1);
        this.isOwn[at] = isOwn ? 1 : 0;
      }
    }
    this.start = cleared(this.start, blocks.count);
    this.end = cleared(this.end, blocks.count);
    for (const sequence of order) {
      this.#findBlockRows(blocks, sequenceFirst[sequence], sequenceEnd[sequence]);
    }
  }

  /**
   * The first row of a block that the code before goes straight on into, and that jumps lead to: of the rows at its
   * address, the first of which is `row`, those of no length at the front may still be of the code before. They are if
   * they go on from its last row downwards and are nearer to that than to the row that covers the block's start.
   */
  #joinRow(row: number, first: number, last: number): number {
    if (row === first) return row;
    const { address, line, file } = this.table;
    const before = row - 1;
    let cover = row;
    while (cover + 1 < last && address[cover + 1] === address[row]) cover++;
    while (row < cover && file[row] === file[before] && line[row] >= line[row - 1]) {
      const isNearer = line[row] - line[before] < Math.abs(line[cover] - line[row]);
      if (!isNearer && file[cover] === file[row]) break;
      row++;
    }
    return row;
  }

  /** Finds the rows of the blocks that begin in a sequence of rows: those within, and before them the one that goes on. */
  #findBlockRows(blocks: PointBlocks, first: number, last: number): void {
    const { address } = this.table;
    const { start, end, count } = blocks;
    const low = address[first], high = address[last];
    let row = first;
    for (let block = 0; block < count; block++) {
      const from = start[block], to = end[block];
      if (from < low || from >= high) continue;
      // Blocks of a function ascend: the next one is near.
      if (address[row] >= from || address[Math.min(last, row + 64)] < from) {
        row = lowerBound(address, from, first, last);
      } else while (address[row] < from) row++;
      let next = row;
      while (next < last && address[next] < to) next++;
      this.start[block] = blocks.joins[block] === 1
        ? this.#joinRow(row, first, last)
        : blocks.continues[block] === 1 && row > first && address[row] > from
        ? row - 1
        : row;
      const isShared = blocks.leadsToJoin[block] === 1 && next < last && address[next] === to;
      this.end[block] = isShared ? this.#joinRow(next, first, last) : next;
    }
  }
}
