import { grown } from "../../base/grow.ts";
import type { TripleTable } from "../../base/triple_table.ts";
import type { CodeTree } from "../../dwarf/code_tree.ts";
import type { AddressRows } from "./address_rows.ts";
import type { CallPainter } from "./call_painter.ts";
import type { PointBlocks } from "./point_blocks.ts";
import type { LineTable } from "./source_tables.ts";
import type { UnitSources } from "./unit_sources.ts";

/** What is known of the points of the current unit before lines are claimed. */
export interface PointParts {
  readonly tree: CodeTree;
  readonly blocks: PointBlocks;
  readonly rows: AddressRows;
  readonly painter: CallPainter;
  readonly sources: UnitSources;
}

/** The lines that points claim: those that ran if the point was reached. Each once per point, as columns that grow. */
export class LineClaims {
  /** Number of points that are finished. */
  count = 0;
  /** Number of claims of each. */
  readonly claims: Int32Array<ArrayBuffer>;
  /** Ids of claimed lines, point after point. */
  claimCount = 0;
  claimLine = new Int32Array(1024);
  /** The number of the last point that claimed a line, from 1, per line id. */
  #claimedBy = new Int32Array(65536);
  /** Claims before the current point. */
  #before = 0;
  readonly #parts: PointParts;
  readonly #lines: LineTable;
  readonly #functions: TripleTable;

  /** @param points At most. */
  constructor(points: number, parts: PointParts) {
    this.claims = new Int32Array(points);
    this.#parts = parts;
    const { lines, functions } = parts.sources.tables;
    this.#lines = lines;
    this.#functions = functions;
  }

  /**
   * Claims the declaration of a frame's function, and its line.
   *
   * @param isOwn Whether the line is the point's: the row that covers a point may be that of the code before it, where
   * the compiler gave the point no place. Such a row is another block's.
   */
  addFrame(functionId: number, path: number, line: number, isOwn: boolean): void {
    if (isOwn) this.#claim(path, line);
    this.#claimDeclaration(functionId);
  }

  /** Claims what ran in the blocks of point `at`, which is in `functionId`, not an inlined function. */
  addBlocks(at: number, functionId: number): void {
    const { blocks } = this.#parts;
    for (let place = blocks.first[at]; place < blocks.last[at]; place++) {
      this.#addRows(blocks.block[place], functionId);
      this.#addEntered(blocks.block[place]);
    }
  }

  /**
   * Claims every row of a block; of the rows of no length only statements. Braces are no code: the
   * row of a function's first instruction is its opening brace, for which the declaration is claimed, and that of a
   * return its closing brace, which is only claimed where no `return` statement can stand for it (or, where debug
   * information has no types, perhaps none).
   */
  #addRows(block: number, functionId: number): void {
    const { rows, blocks, sources } = this.#parts;
    const { address, line, file, isStmt } = rows.table;
    const start = rows.start[block], end = rows.end[block];
    if (start < 0) return;
    const isKnown = functionId >= 0 && this.#functions.c[functionId] > 0;
    const opening = isKnown && blocks.opens[block] === 1 ? start : -1;
    const closing =
      isKnown && blocks.returns[block] === 1 && sources.tables.returnsValue[functionId] === 1
        ? end - 1
        : -1;
    let lastLine = -1, lastFile = -1, path = 0;
    for (let row = start; row < end; row++) {
      if (opening >= 0 && line[row] === line[opening] && file[row] === file[opening]) continue;
      if (closing >= 0 && line[row] === line[closing] && file[row] === file[closing]) continue;
      if (isStmt[row] === 0 && address[row] === address[row + 1]) continue;
      if (line[row] === lastLine && file[row] === lastFile) continue;
      lastLine = line[row];
      if (file[row] !== lastFile) {
        lastFile = file[row];
        path = sources.path(lastFile);
      }
      this.#claim(path, lastLine);
    }
  }

  /** Claims the calls that are inlined within a block, and its labels. */
  #addEntered(block: number): void {
    const { tree, blocks: { firstEntered, enteredItem, nextEntered }, sources } = this.#parts;
    for (let index = firstEntered[block]; index >= 0; index = nextEntered[index]) {
      const item = enteredItem[index];
      if (item >= 0) {
        this.#claim(sources.callPath(item), tree.callLine[item]);
        this.#claimDeclaration(sources.function(item));
      } else {
        // A label has no row of its own: its line is that of its declaration.
        const { path, line } = sources.labelDeclaration(~item);
        this.#claim(path, line);
      }
    }
  }

  /** Ends the current point, which has the given line if nothing else is known of it. */
  endPoint(path: number, line: number): void {
    if (this.claimCount === this.#before) this.#claim(path, line);
    this.#end();
  }

  #end(): void {
    this.claims[this.count++] = this.claimCount - this.#before;
    this.#before = this.claimCount;
  }

  /** Drops what the current point claimed, and ends it. */
  dropPoint(): void {
    this.claimCount = this.#before;
    this.#end();
  }

  #claim(path: number, line: number): void {
    if (path === 0) return;
    const id = this.#lines.id(path, line);
    if (id < 0) return;
    if (id >= this.#claimedBy.length) this.#claimedBy = grown(this.#claimedBy, id + 1);
    if (this.#claimedBy[id] === this.count + 1) return;
    this.#claimedBy[id] = this.count + 1;
    const index = this.claimCount++;
    if (index === this.claimLine.length) this.claimLine = grown(this.claimLine, index + 1);
    this.claimLine[index] = id;
  }

  #claimDeclaration(functionId: number): void {
    this.#claim(this.#functions.b[functionId], this.#functions.c[functionId]);
  }
}
