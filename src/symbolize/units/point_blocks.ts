import { grown } from "../../base/grow.ts";
import type { CodeTree } from "../../dwarf/code_tree.ts";
import { type CodeReader, type Jump, NO_JUMP } from "../../elf/code_decoder.ts";
import { FunctionFlow, NO_BLOCK } from "./function_flow.ts";

/** The blocks of code of each coverage point of a unit: what ran if the point was reached. */
export class PointBlocks {
  /** Number of blocks. */
  count = 0;
  /** Addresses. */
  start = new Float64Array(1024);
  end = new Float64Array(1024);
  /** 1 where the block begins with its function's first instruction, and where it ends in a return. */
  opens = new Uint8Array(1024);
  returns = new Uint8Array(1024);
  /** 1 where the block is reached straight from the one before it and by jumps, and where it goes straight on into such a block. */
  joins = new Uint8Array(1024);
  leadsToJoin = new Uint8Array(1024);
  /** 1 where the block is only reached from the code right before it. */
  continues = new Uint8Array(1024);
  /** What begins within each block, as lists: the block's first item, */
  firstEntered = new Int32Array(1024);
  /** and per item the entry of an inlined call or the complement of a label's number, and the next item; -1 ends. */
  enteredItem = new Int32Array(256);
  nextEntered = new Int32Array(256);
  #enteredCount = 0;

  /** Labels of the tree without an address, and the blocks of the function of each: from `labelFirst` to `labelLast`. */
  labelCount = 0;
  label = new Int32Array(64);
  labelFirst = new Int32Array(64);
  labelLast = new Int32Array(64);

  /** Blocks of each point: places `first` to `last`, exclusive, of `block`. */
  first = new Int32Array(1024);
  last = new Int32Array(1024);
  block = new Int32Array(1024);
  #blockCount = 0;

  readonly #flow = new FunctionFlow();
  /** By block of the function: its point, and its number here; -1 where it has none. */
  #pointOf = new Int32Array(256);
  #numberOf = new Int32Array(256);
  /** Points of the function: their number, and the offset of their block. */
  #pointAt = new Int32Array(256);
  #pointOffset = new Int32Array(256);

  /** @param points Those that the tree was read for. */
  find(tree: CodeTree, points: Float64Array, code: CodeReader): void {
    const count = points.length;
    this.count =
      this.#enteredCount =
      this.#blockCount =
      this.labelCount =
        0;
    this.first = grown(this.first, count);
    this.last = grown(this.last, count);
    this.first.fill(0, 0, count);
    this.last.fill(0, 0, count);
    const { rangeCount, rangeEntry, inlined } = tree;
    let label = 0;
    for (let range = 0; range < rangeCount;) {
      const first = range, entry = rangeEntry[range];
      while (range < rangeCount && rangeEntry[range] === entry) range++;
      const last = range;
      // Inlined calls follow the function that they are in.
      while (range < rangeCount && inlined[rangeEntry[range]] === 1) range++;
      const nextEntry = range < rangeCount ? rangeEntry[range] : tree.count;
      if (inlined[entry] === 1) continue;
      const firstLabel = label;
      while (label < tree.labelCount && tree.labelEntry[label] < nextEntry) label++;
      const firstBlock = this.count;
      if (!this.#findFunction(tree, points, first, last, code)) continue;
      this.#findEntered(tree, last, range, firstLabel, label, firstBlock);
    }
    this.#findOthers(points, code);
  }

  /** Finds the blocks of points in no function of the debug information: up to the first jump or the next point. */
  #findOthers(points: Float64Array, code: CodeReader): void {
    const jump: Jump = { kind: NO_JUMP, target: -1, end: 0 };
    for (let at = 0; at < points.length; at++) {
      if (this.first[at] < this.last[at]) continue;
      const limit = at + 1 < points.length ? code.callStart(points[at + 1]) : Infinity;
      if (!code.findJump(points[at], limit, jump)) continue;
      this.first[at] = this.#blockCount;
      const number = this.#addBlock(points[at], jump.end);
      this.#addToPoint(number, this.first[at]);
      this.last[at] = this.#blockCount;
    }
  }

  /** Finds the blocks of the points of the function that has the ranges `first` to `last`, exclusive. */
  #findFunction(
    { rangeLow, rangeHigh, rangeFirst }: CodeTree,
    points: Float64Array,
    first: number,
    last: number,
    code: CodeReader,
  ): boolean {
    const flow = this.#flow;
    if (!flow.decode(rangeLow, rangeHigh, first, last, code)) return false;
    let found = 0;
    for (let range = first; range < last; range++) {
      for (let at = rangeFirst[range]; at < points.length && points[at] < rangeHigh[range]; at++) {
        if (found === this.#pointAt.length) {
          this.#pointAt = grown(this.#pointAt, found + 1);
          this.#pointOffset = grown(this.#pointOffset, found + 1);
        }
        this.#pointAt[found] = at;
        this.#pointOffset[found++] = flow.divide(code.callStart(points[at]));
      }
    }
    if (found === 0) return false;
    flow.findBlocks(code);
    if (this.#pointOf.length < flow.count) {
      this.#pointOf = new Int32Array(flow.count * 2);
      this.#numberOf = new Int32Array(flow.count * 2);
    }
    const pointOf = this.#pointOf;
    pointOf.fill(-1, 0, flow.count);
    this.#numberOf.fill(-1, 0, flow.count);
    for (let point = 0; point < found; point++) {
      const offset = this.#pointOffset[point];
      if (offset >= 0) pointOf[flow.blockAt(offset)] = this.#pointAt[point];
    }
    const needsDominators = this.#needsDominators(code);
    if (needsDominators) flow.findDominators(code);
    for (let block = 0; block < flow.count; block++) {
      const at = pointOf[block];
      if (at < 0) continue;
      this.first[at] = this.#blockCount;
      this.#add(block, rangeLow[first], at);
      if (needsDominators) {
        // Blocks with a point of their own are known to have run by that, and so is what lies beyond them.
        let other = flow.before(block);
        for (; other !== NO_BLOCK && pointOf[other] < 0; other = flow.before(other)) {
          this.#add(other, rangeLow[first], at);
        }
        other = flow.after(block);
        for (; other !== NO_BLOCK && pointOf[other] < 0; other = flow.after(other)) {
          this.#add(other, rangeLow[first], at);
        }
      } else {
        // Twins on both sides.
        let other = flow.previousTwin(block);
        if (other !== NO_BLOCK && pointOf[other] < 0) this.#add(other, rangeLow[first], at);
        other = flow.nextTwin(block);
        if (other !== NO_BLOCK && pointOf[other] < 0) this.#add(other, rangeLow[first], at);
      }
      this.last[at] = this.#blockCount;
    }
    return true;
  }

  /** Whether there are blocks without a point that do not simply follow or precede one with a point. */
  #needsDominators(code: CodeReader): boolean {
    const flow = this.#flow, pointOf = this.#pointOf;
    for (let block = 0; block < flow.count; block++) {
      if (pointOf[block] >= 0) continue;
      const next = flow.nextTwin(block), previous = flow.previousTwin(block);
      const isTwin = next !== NO_BLOCK && pointOf[next] >= 0 ||
        previous !== NO_BLOCK && pointOf[previous] >= 0;
      if (!isTwin && !flow.isUnused(block, code)) return true;
    }
    return false;
  }

  /** Adds a block of the function, which begins at address `opening`, to those of point `at`. */
  #add(block: number, opening: number, at: number): void {
    let number = this.#numberOf[block];
    if (number < 0) {
      number = this.#numberOf[block] = this.#addBlock(
        this.#flow.start[block],
        this.#flow.end[block],
      );
      this.opens[number] = this.#flow.start[block] === opening ? 1 : 0;
      this.returns[number] = this.#flow.returns[block];
      this.continues[number] = this.#flow.isContinued(block) ? 1 : 0;
      this.joins[number] = this.#flow.isJoin(block) ? 1 : 0;
      this.leadsToJoin[number] = this.#flow.isJoin(block + 1) ? 1 : 0;
    }
    this.#addToPoint(number, this.first[at]);
  }

  #addBlock(start: number, end: number): number {
    const number = this.count++;
    if (number === this.start.length) {
      this.start = grown(this.start, number + 1);
      this.end = grown(this.end, number + 1);
      this.opens = grown(this.opens, number + 1);
      this.returns = grown(this.returns, number + 1);
      this.joins = grown(this.joins, number + 1);
      this.leadsToJoin = grown(this.leadsToJoin, number + 1);
      this.continues = grown(this.continues, number + 1);
      this.firstEntered = grown(this.firstEntered, number + 1);
    }
    this.start[number] = start;
    this.end[number] = end;
    this.opens[number] =
      this.returns[number] =
      this.joins[number] =
      this.leadsToJoin[number] =
        0;
    this.continues[number] = 0;
    this.firstEntered[number] = -1;
    return number;
  }

  /** Adds a block to those of the current point, whose first place is `from`; in a loop one may come from both sides. */
  #addToPoint(number: number, from: number): void {
    for (let place = from; place < this.#blockCount; place++) {
      if (this.block[place] === number) return;
    }
    const index = this.#blockCount++;
    if (index === this.block.length) this.block = grown(this.block, index + 1);
    this.block[index] = number;
  }

  /** Finds what begins in the blocks of the function: inlined calls, the ranges `first` to `last`, and labels. */
  #findEntered(
    { rangeLow, rangeEntry, labelAddress }: CodeTree,
    first: number,
    last: number,
    firstLabel: number,
    lastLabel: number,
    firstBlock: number,
  ): void {
    for (let range = first; range < last; range++) {
      this.#addEntered(rangeLow[range], rangeEntry[range]);
    }
    for (let label = firstLabel; label < lastLabel; label++) {
      if (labelAddress[label] >= 0) this.#addEntered(labelAddress[label], ~label);
      else this.#addLabel(label, firstBlock);
    }
  }

  #addLabel(label: number, firstBlock: number): void {
    const index = this.labelCount++;
    if (index === this.label.length) {
      this.label = grown(this.label, index + 1);
      this.labelFirst = grown(this.labelFirst, index + 1);
      this.labelLast = grown(this.labelLast, index + 1);
    }
    this.label[index] = label;
    this.labelFirst[index] = firstBlock;
    this.labelLast[index] = this.count;
  }

  #addEntered(address: number, item: number): void {
    const block = this.#flow.blockOf(address);
    if (block >= 0 && this.#numberOf[block] >= 0) this.addEntered(this.#numberOf[block], item);
  }

  /** Says that an item begins in a block. */
  addEntered(number: number, item: number): void {
    const index = this.#enteredCount++;
    if (index === this.enteredItem.length) {
      this.enteredItem = grown(this.enteredItem, index + 1);
      this.nextEntered = grown(this.nextEntered, index + 1);
    }
    this.enteredItem[index] = item;
    this.nextEntered[index] = this.firstEntered[number];
    this.firstEntered[number] = index;
  }
}
