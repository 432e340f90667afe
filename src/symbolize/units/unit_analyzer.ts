import { grown } from "../../base/grow.ts";
import { lowerBound, upperBound } from "../../base/search.ts";
import { CodeTree } from "../../dwarf/code_tree.ts";
import type { LineHeader } from "../../dwarf/line_header.ts";
import { LineRows } from "../../dwarf/line_program.ts";
import type { Unit } from "../../dwarf/unit.ts";
import { FormatError } from "../../errors.ts";
import { FunctionResolver, NO_FUNCTION, type PathOfFile, SourceTables } from "./source_tables.ts";
import type { UnitReader } from "./unit_reader.ts";

/** Where the block of code that an address begins ends. */
export interface BlockLimits {
  /** Looks for the end of the block that begins at `address`: at most `limit`. */
  find(address: number, limit: number): void;
  /** Of the block found: behind its last instruction. */
  readonly end: number;
  /** Of the block found: whether its last instruction is a return. */
  readonly endsInReturn: boolean;
}

/** Frames, and where asked for claimed lines, of addresses: as columns that grow. */
export class AddressFrames {
  /** Number of addresses. */
  count = 0;
  /** Frames and claims per address. */
  frames: Int32Array<ArrayBuffer>;
  claims: Int32Array<ArrayBuffer>;
  /** Frames, innermost first: ids in the {@linkcode SourceTables}. */
  frameCount = 0;
  frameFunction: Int32Array<ArrayBuffer>;
  framePath: Int32Array<ArrayBuffer>;
  frameLine: Int32Array<ArrayBuffer>;
  /** Ids of claimed lines. */
  claimCount = 0;
  claimLine = new Int32Array(1024);

  /** @param addresses expected at most, to make the columns large enough at once: memory that is not used costs nothing */
  constructor(addresses: number) {
    const count = Math.max(1024, addresses);
    this.frames = new Int32Array(count);
    this.claims = new Int32Array(count);
    this.frameFunction = new Int32Array(count * 2);
    this.framePath = new Int32Array(count * 2);
    this.frameLine = new Int32Array(count * 2);
  }

  /** Makes room for one address and one frame or claim more. */
  addFrame(functionId: number, path: number, line: number): void {
    const index = this.frameCount++;
    if (index === this.frameLine.length) {
      this.frameFunction = grown(this.frameFunction, index + 1);
      this.framePath = grown(this.framePath, index + 1);
      this.frameLine = grown(this.frameLine, index + 1);
    }
    this.frameFunction[index] = functionId;
    this.framePath[index] = path;
    this.frameLine[index] = line;
  }

  addClaim(line: number): void {
    const index = this.claimCount++;
    if (index === this.claimLine.length) this.claimLine = grown(this.claimLine, index + 1);
    this.claimLine[index] = line;
  }

  /** Ends the next address, whose frames and claims have been added since the counts given. */
  addAddress(framesBefore: number, claimsBefore: number): void {
    const index = this.count++;
    if (index === this.frames.length) {
      this.frames = grown(this.frames, index + 1);
      this.claims = grown(this.claims, index + 1);
    }
    this.frames[index] = this.frameCount - framesBefore;
    this.claims[index] = this.claimCount - claimsBefore;
  }
}

/**
 * Finds the frames of addresses, one unit at a time, by painting: the ranges of functions and inlined calls are laid
 * over the sorted addresses in the order of the file, outer before inner, so the last to touch an address is its
 * innermost. No tree of ranges is built and nothing is searched per address.
 */
export class UnitAnalyzer {
  readonly tables: SourceTables;
  readonly result: AddressFrames;
  readonly #reader: UnitReader;
  readonly #tree = new CodeTree();
  readonly #rows = new LineRows();
  readonly #resolver: FunctionResolver;
  readonly #unitAt: (offset: number) => Unit;
  readonly #pathOfFile: PathOfFile;
  /** The unit in hand, and its line table where that could be read. */
  #unit: Unit | undefined;
  #header: LineHeader | undefined;
  /**
   * Per address of the unit in hand: innermost entry; file and line of its row, file -1 where there is none; rows and
   * limits of its block.
   */
  #entry = new Int32Array(1024);
  #file = new Int32Array(1024);
  #line = new Int32Array(1024);
  #rowStart = new Int32Array(1024);
  #rowEnd = new Int32Array(1024);
  #blockStart = new Float64Array(1024);
  #blockEnd = new Float64Array(1024);
  /** 1 where the block begins with its function's first instruction, and where it ends in a return. */
  #opens = new Uint8Array(1024);
  #returns = new Uint8Array(1024);
  /** Per tree entry, found when first met: function, and path of the call's file; -1 before. */
  #functionOf = new Int32Array(256);
  #callPathOf = new Int32Array(256);
  /** Path per file of the line table in hand; -1 before. */
  #pathOf = new Int32Array(256);
  /** The last address that claimed a line, per line id. */
  #claimedBy = new Int32Array(65536);
  /**
   * What begins within the block of an address, as lists: the address's first item, and per item the entry of an inlined
   * call or the complement of a label's number, and the next item; -1 ends.
   */
  #firstEntered = new Int32Array(1024);
  #enteredCount = 0;
  #enteredItem = new Int32Array(256);
  #nextEntered = new Int32Array(256);

  /** @param addresses to analyze at most */
  constructor(reader: UnitReader, addresses: number) {
    this.#reader = reader;
    this.result = new AddressFrames(addresses);
    this.tables = new SourceTables(reader.sections);
    this.#resolver = new FunctionResolver(this.tables);
    this.#unitAt = (offset) => reader.unitAt(offset);
    this.#pathOfFile = (unit, file) => {
      if (unit === this.#unit && this.#header !== undefined) {
        return this.#path(unit, this.#header, file);
      }
      const header = reader.lineHeader(unit);
      return header === undefined ? -1 : this.tables.path(unit, header, file);
    };
  }

  /**
   * Adds the frames of the ascending `addresses`, all in unit `index`, to `result`, an address at a time; where the
   * unit is damaged, as many as can be told, and says so in `problems`.
   *
   * @param blocks where given, the addresses are coverage points and the lines that they claim are added too
   */
  analyze(
    index: number,
    addresses: Float64Array,
    problems: string[],
    blocks?: BlockLimits,
  ): void {
    const count = addresses.length;
    const before = this.result.count;
    this.#entry = cleared(this.#entry, count);
    this.#file = cleared(this.#file, count);
    this.#line = cleared(this.#line, count);
    this.#rowStart = cleared(this.#rowStart, count);
    this.#rowEnd = cleared(this.#rowEnd, count);
    this.#resolver.clear();
    this.#tree.count = 0;
    this.#tree.rangeCount = 0;
    this.#tree.labelCount = 0;
    let unit: Unit | undefined, header: LineHeader | undefined;
    try {
      unit = this.#reader.open(index);
      this.tables.folders.intern(unit.compDir);
      this.#tree.read(unit, addresses, blocks !== undefined);
    } catch (error) {
      problems.push(messageOf(error));
      // What has been read of the tree may be cut off anywhere, so none of it is used.
      this.#tree.count = 0;
      this.#tree.rangeCount = 0;
      this.#tree.labelCount = 0;
    }
    this.#functionOf = cleared(this.#functionOf, this.#tree.count);
    this.#callPathOf = cleared(this.#callPathOf, this.#tree.count);
    try {
      header = unit === undefined ? undefined : this.#reader.lineHeader(unit);
      if (header !== undefined) {
        if (blocks !== undefined) this.#rows.run(header);
        else this.#rows.find(header, addresses, this.#file, this.#line);
      }
    } catch (error) {
      problems.push(messageOf(error));
      header = undefined;
      this.#file.fill(-1, 0, count);
    }
    if (header === undefined) this.#rows.clear();
    this.#pathOf = cleared(this.#pathOf, header?.files.count ?? 0);
    this.#unit = unit;
    this.#header = header;
    if (blocks !== undefined) this.#findBlocks(addresses, blocks);
    this.#paint(addresses, blocks !== undefined);
    if (blocks !== undefined) this.#findRows(addresses);
    try {
      this.#emit(unit, header, addresses, blocks !== undefined);
    } catch (error) {
      problems.push(messageOf(error));
      while (this.result.count < before + count) {
        this.result.addAddress(this.result.frameCount, this.result.claimCount);
      }
    }
  }

  /** Limits each point's block by the next point, the end of its function and the first jump. */
  #findBlocks(addresses: Float64Array, blocks: BlockLimits): void {
    const { rangeCount, rangeEntry, rangeLow, rangeHigh, inlined } = this.#tree;
    const count = addresses.length;
    if (this.#blockStart.length < count) {
      this.#blockStart = grown(this.#blockStart, count);
      this.#blockEnd = grown(this.#blockEnd, count);
      this.#opens = grown(this.#opens, count);
      this.#returns = grown(this.#returns, count);
    }
    const starts = this.#blockStart, ends = this.#blockEnd;
    for (let at = 0; at < count; at++) {
      starts[at] = addresses[at];
      ends[at] = addresses[at] + 1;
      this.#opens[at] = 0;
    }
    for (let range = 0; range < rangeCount; range++) {
      if (inlined[rangeEntry[range]] === 1) continue;
      const first = lowerBound(addresses, rangeLow[range]);
      const end = lowerBound(addresses, rangeHigh[range], first);
      if (first === end) continue;
      for (let at = first; at < end; at++) ends[at] = rangeHigh[range];
      // The code before a function's first point is its entry: it ran if the point was reached.
      starts[first] = rangeLow[range];
      // Further ranges of a function are parts that the compiler moved out of the way.
      this.#opens[first] = range === 0 || rangeEntry[range - 1] !== rangeEntry[range] ? 1 : 0;
    }
    for (let at = 0; at < count; at++) {
      const limit = at + 1 < count ? Math.min(ends[at], addresses[at + 1]) : ends[at];
      blocks.find(addresses[at], limit);
      ends[at] = blocks.end;
      this.#returns[at] = blocks.endsInReturn ? 1 : 0;
    }
  }

  #paint(addresses: Float64Array, withBlocks: boolean): void {
    const { rangeCount, rangeEntry, rangeLow, rangeHigh, inlined } = this.#tree;
    const entries = this.#entry, ends = this.#blockEnd;
    const count = addresses.length;
    this.#enteredCount = 0;
    if (withBlocks) this.#firstEntered = cleared(this.#firstEntered, count);
    for (let range = 0; range < rangeCount; range++) {
      const low = rangeLow[range], entry = rangeEntry[range];
      const first = lowerBound(addresses, low, 0, count);
      const high = rangeHigh[range];
      for (let at = first; at < count && addresses[at] < high; at++) entries[at] = entry;
      if (withBlocks && first > 0 && inlined[entry] === 1 && ends[first - 1] > low) {
        this.#addEntered(first - 1, entry);
      }
    }
    if (withBlocks) this.#findLabels(addresses);
  }

  #findLabels(addresses: Float64Array): void {
    const { labelCount, labelAddress } = this.#tree;
    for (let label = 0; label < labelCount; label++) {
      const at = upperBound(addresses, labelAddress[label]) - 1;
      if (at >= 0 && this.#blockEnd[at] > labelAddress[label]) this.#addEntered(at, ~label);
    }
  }

  #addEntered(at: number, item: number): void {
    const index = this.#enteredCount++;
    if (index === this.#enteredItem.length) {
      this.#enteredItem = grown(this.#enteredItem, index + 1);
      this.#nextEntered = grown(this.#nextEntered, index + 1);
    }
    this.#enteredItem[index] = item;
    this.#nextEntered[index] = this.#firstEntered[at];
    this.#firstEntered[at] = index;
  }

  /** Finds the row that covers each address, and the rows of its block. */
  #findRows(addresses: Float64Array): void {
    const rows = this.#rows;
    const { address: rowAddress, sequenceFirst, sequenceEnd } = rows;
    const files = this.#file,
      lines = this.#line,
      rowStarts = this.#rowStart,
      rowEnds = this.#rowEnd;
    const starts = this.#blockStart, ends = this.#blockEnd;
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

  #emit(
    unit: Unit | undefined,
    header: LineHeader | undefined,
    addresses: Float64Array,
    withBlocks: boolean,
  ): void {
    const { result } = this;
    const { inlined, parent, callLine } = this.#tree;
    const entries = this.#entry, files = this.#file, lines = this.#line;
    for (let at = 0; at < addresses.length; at++) {
      const frames = result.frameCount, claims = result.claimCount;
      const hasRow = files[at] >= 0 && unit !== undefined && header !== undefined;
      let path = 0, line = 0;
      if (hasRow) {
        path = this.#path(unit, header, files[at]);
        // Where the file is not in the table nothing is known, the line neither.
        if (path !== 0) line = lines[at];
      }
      let entry = entries[at], outermost = NO_FUNCTION;
      if (entry < 0) {
        if (hasRow) result.addFrame(NO_FUNCTION, path, line);
      } else {
        for (;;) {
          const functionId = this.#function(entry);
          result.addFrame(functionId, path, line);
          outermost = functionId;
          if (withBlocks) {
            this.#claim(path, line);
            this.#claimDeclaration(functionId);
          }
          if (inlined[entry] === 0) break;
          path = this.#callPath(unit, header, entry);
          line = callLine[entry];
          entry = parent[entry];
          if (entry < 0) break;
        }
      }
      if (withBlocks) {
        if (hasRow) {
          this.#claimRows(unit, header, at, outermost);
        }
        for (let item = this.#firstEntered[at]; item >= 0; item = this.#nextEntered[item]) {
          const call = this.#enteredItem[item];
          if (call < 0) {
            this.#claimLabel(~call);
          } else {
            this.#claim(this.#callPath(unit, header, call), callLine[call]);
            this.#claimDeclaration(this.#function(call));
          }
        }
      }
      result.addAddress(frames, claims);
    }
  }

  /**
   * Claims every row of the block of address `at`; of the rows of no length only statements. Braces are no code: the
   * row of a function's first instruction is its opening brace, for which the declaration is claimed, and that of a
   * return its closing brace, which is only claimed where no `return` statement can stand for it (or, where debug
   * information has no types, perhaps none).
   *
   * @param functionId the function, not an inlined one
   */
  #claimRows(unit: Unit, header: LineHeader, at: number, functionId: number): void {
    const { address, line, file, isStmt } = this.#rows;
    const { functions, returnsValue } = this.tables;
    const start = this.#rowStart[at], end = this.#rowEnd[at];
    const isKnown = functionId >= 0 && functions.c[functionId] > 0;
    const opening = isKnown && this.#opens[at] === 1 ? start : -1;
    const closing = isKnown && this.#returns[at] === 1 && returnsValue[functionId] === 1
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
        path = this.#path(unit, header, lastFile);
      }
      this.#claim(path, lastLine);
    }
  }

  #claim(path: number, line: number): void {
    if (path === 0) return;
    const { result, tables } = this;
    const id = tables.lines.id(path, line);
    if (id < 0) return;
    if (id >= this.#claimedBy.length) this.#claimedBy = grown(this.#claimedBy, id + 1);
    if (this.#claimedBy[id] === result.count + 1) return;
    this.#claimedBy[id] = result.count + 1;
    result.addClaim(id);
  }

  #claimDeclaration(functionId: number): void {
    const { functions } = this.tables;
    this.#claim(functions.b[functionId], functions.c[functionId]);
  }

  /** A label has no row of its own: its line is that of its declaration. */
  #claimLabel(label: number): void {
    const source = this.#tree.labelSource[label];
    const { path, line } = this.#resolver.declarationAt(source, this.#unitAt, this.#pathOfFile);
    this.#claim(path, line);
  }

  #function(entry: number): number {
    let id = this.#functionOf[entry];
    if (id < 0) {
      id = this.#resolver.resolve(this.#tree.source[entry], this.#unitAt, this.#pathOfFile);
      this.#functionOf[entry] = id;
    }
    return id;
  }

  #path(unit: Unit, header: LineHeader, file: number): number {
    const known = this.#pathOf[file];
    if (known !== undefined && known >= 0 && file < header.files.count) return known;
    const id = this.tables.path(unit, header, file);
    if (file >= 0 && file < header.files.count) this.#pathOf[file] = id;
    return id;
  }

  #callPath(unit: Unit | undefined, header: LineHeader | undefined, entry: number): number {
    if (unit === undefined || header === undefined) return 0;
    return this.#path(unit, header, this.#tree.callFile[entry]);
  }
}

/** The column with room for `count` entries, the first `count` of them -1. */
function cleared(column: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  const result = column.length < count
    ? new Int32Array(Math.max(count, column.length * 2))
    : column;
  return result.fill(-1, 0, count);
}

function messageOf(error: unknown): string {
  if (error instanceof FormatError) return error.message;
  throw error;
}
