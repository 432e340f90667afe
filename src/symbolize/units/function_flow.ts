import { grown } from "../../base/grow.ts";
import { upperBound } from "../../base/search.ts";
import {
  type CodeReader,
  CONDITIONAL,
  INDIRECT,
  JUMP,
  type Jump,
  NO_JUMP,
  RETURN,
} from "../../elf/code_decoder.ts";
import { Dominators, type Edges } from "./dominators.ts";

/** Where a block begins, and where a way leads in: at the start of a range, from a jump, behind a conditional one. */
const BEGINS = 1;
const ENTERED = 2;

/** No function is larger; a damaged image may say so. */
const LARGEST_FUNCTION = 1 << 24;

/** No block: what lies outside the function, or is not known. */
export const NO_BLOCK = -1;

/**
 * The blocks of one function, each entered at its start only and left at its end only, and which of them run whenever
 * another does. Filled again for each function.
 */
export class FunctionFlow {
  /** Number of blocks, in the order of the function's ranges. */
  count = 0;
  /** Addresses. */
  start = new Float64Array(256);
  end = new Float64Array(256);
  /** 1 where the block ends in a return. */
  returns = new Uint8Array(256);
  /** 1 where the block ends without a jump, so that the one behind it follows. */
  #isStraight = new Uint8Array(256);
  /** 1 where the one behind it can follow. */
  #goesOn = new Uint8Array(256);

  /** The function's ranges: their places among the tree's, and offset of each when all are laid one after another. */
  #low: Float64Array = new Float64Array(0);
  #high: Float64Array = new Float64Array(0);
  #first = 0;
  #last = 0;
  #base = new Int32Array(16);
  /** By offset in the function: how a block begins there, 0 where none does, and the number of that block. */
  #marks = new Uint8Array(4096);
  #markWords = new Int32Array(this.#marks.buffer);
  #blockAt = new Int32Array(4096);
  /** Offset of each block. */
  #offset = new Int32Array(256);
  /** Jumps: offset of their end, offset of their target, and kind. */
  #jumpCount = 0;
  #jumpEnd = new Int32Array(256);
  #jumpTarget = new Int32Array(256);
  #jumpKind = new Uint8Array(256);
  /** Edges between blocks, and from and to a node for all that is outside the function: the one behind the last block. */
  #edgeCount = 0;
  #from = new Int32Array(512);
  #to = new Int32Array(512);
  /** By node: number of edges that leave it and that lead to it, and the other node of the last such edge. */
  #outSize = new Int32Array(256);
  #outNode = new Int32Array(256);
  #inSize = new Int32Array(256);
  #inNode = new Int32Array(256);
  readonly #out = new EdgeTable();
  readonly #into = new EdgeTable();
  readonly #before = new Dominators();
  readonly #after = new Dominators();
  readonly #jump: Jump = { kind: NO_JUMP, target: -1, end: 0 };

  /**
   * Decodes the code of the function that has the ranges `first` to `last`, exclusive.
   *
   * @returns Whether it can be read.
   */
  decode(
    low: Float64Array,
    high: Float64Array,
    first: number,
    last: number,
    code: CodeReader,
  ): boolean {
    this.#low = low;
    this.#high = high;
    this.#first = first;
    this.#last = last;
    const base = this.#base = grown(this.#base, last - first + 1);
    base[0] = 0;
    for (let range = first; range < last; range++) {
      base[range - first + 1] = base[range - first] + high[range] - low[range];
    }
    const size = base[last - first];
    if (size > LARGEST_FUNCTION) return false;
    if (this.#marks.length < size + 4) {
      this.#marks = new Uint8Array((size + 4) * 4);
      this.#markWords = new Int32Array(this.#marks.buffer);
      this.#blockAt = new Int32Array((size + 4) * 4);
    } else this.#marks.fill(0, 0, size + 4);
    this.#jumpCount = 0;
    for (let range = first; range < last; range++) {
      if (!this.#decodeRange(range, code)) return false;
    }
    return true;
  }

  #decodeRange(range: number, code: CodeReader): boolean {
    const marks = this.#marks, jump = this.#jump;
    const from = this.#low[range], to = this.#high[range], base = this.#base[range - this.#first];
    marks[base] |= BEGINS | ENTERED;
    for (let at = from; at < to; at = jump.end) {
      if (!code.findJump(at, to, jump)) return false;
      const { target, end, kind } = jump;
      if (kind === NO_JUMP) break;
      const index = this.#jumpCount++;
      if (index === this.#jumpEnd.length) {
        this.#jumpEnd = grown(this.#jumpEnd, index + 1);
        this.#jumpTarget = grown(this.#jumpTarget, index + 1);
        this.#jumpKind = grown(this.#jumpKind, index + 1);
      }
      // A jump to what is right behind it is one whose target the linker fills in.
      const offset = target === end || target < 0 ? NO_BLOCK : this.#offsetOf(target);
      this.#jumpEnd[index] = base + end - from;
      this.#jumpTarget[index] = offset;
      this.#jumpKind[index] = kind;
      if (offset >= 0) marks[offset] |= BEGINS | ENTERED;
      if (end < to) marks[base + end - from] |= BEGINS | (kind === CONDITIONAL ? ENTERED : 0);
    }
    return true;
  }

  /** Makes a block begin at an address of the function. Returns its offset, which {@linkcode blockAt} takes. */
  divide(address: number): number {
    const offset = this.#offsetOf(address);
    if (offset >= 0) this.#marks[offset] |= BEGINS;
    return offset;
  }

  /** The block that begins at an offset that {@linkcode divide} returned. */
  blockAt(offset: number): number {
    return this.#blockAt[offset];
  }

  /** Finds the blocks, when all places are known at which they begin. */
  findBlocks(code: CodeReader): void {
    const marks = this.#marks, words = this.#markWords;
    let count = 0;
    for (let range = this.#first; range < this.#last; range++) {
      const low = this.#low[range], base = this.#base[range - this.#first];
      const limit = this.#base[range - this.#first + 1];
      for (let offset = base; offset < limit; offset++) {
        if (marks[offset] === 0) {
          // Few offsets begin a block.
          if ((offset & 3) === 0) {
            while (words[offset >> 2] === 0 && offset < limit) offset += 4;
          }
          if (offset >= limit) break;
          if (marks[offset] === 0) continue;
        }
        if (count === this.start.length) this.#growBlocks(count + 1);
        this.#blockAt[offset] = count;
        this.#offset[count] = offset;
        this.start[count] = low + offset - base;
        if (offset > base) this.end[count - 1] = this.start[count];
        count++;
      }
      this.end[count - 1] = this.#high[range];
    }
    this.count = count;
    this.#findEdges(code);
  }

  #growBlocks(count: number): void {
    this.start = grown(this.start, count);
    this.end = grown(this.end, count);
    this.returns = grown(this.returns, count);
    this.#isStraight = grown(this.#isStraight, count);
    this.#goesOn = grown(this.#goesOn, count);
    this.#offset = grown(this.#offset, count);
  }

  #findEdges(code: CodeReader): void {
    const { count, returns } = this;
    const outside = count, isStraight = this.#isStraight, goesOn = this.#goesOn;
    this.#clearEdges(count + 1);
    this.#edge(outside, 0);
    let jump = 0, hasTable = false;
    let range = this.#first, limit = this.#base[1];
    for (let block = 0; block < count; block++) {
      if (this.#offset[block] >= limit) limit = this.#base[++range - this.#first + 1];
      const end = block + 1 < count ? Math.min(limit, this.#offset[block + 1]) : limit;
      // Each jump ends a block: both ascend.
      const isJump = jump < this.#jumpCount && this.#jumpEnd[jump] === end;
      const kind = isJump ? this.#jumpKind[jump] : NO_JUMP;
      returns[block] = kind === RETURN ? 1 : 0;
      isStraight[block] = goesOn[block] = 0;
      if (isJump) {
        const target = kind === CONDITIONAL || kind === JUMP ? this.#jumpTarget[jump] : NO_BLOCK;
        this.#edge(block, target >= 0 ? this.#blockAt[target] : outside);
        hasTable ||= kind === INDIRECT;
        jump++;
      } else {
        if (this.#isPadding(block, code)) continue;
        isStraight[block] = 1;
      }
      if (kind === CONDITIONAL || kind === NO_JUMP) {
        this.#edge(block, end < limit ? block + 1 : outside);
        if (end < limit) goesOn[block] = 1;
      }
    }
    if (hasTable) this.#addTableEdges();
  }

  #isPadding(block: number, code: CodeReader): boolean {
    return (this.#marks[this.#offset[block]] & ENTERED) === 0 && this.#goesOn[block - 1] === 0 &&
      code.isPadding(this.start[block], this.end[block]);
  }

  /** Tables of jumps are not read: one may lead to every block that a jump leads to. */
  #addTableEdges(): void {
    for (let jump = 0; jump < this.#jumpCount; jump++) {
      if (this.#jumpTarget[jump] >= 0) {
        this.#edge(this.count, this.#blockAt[this.#jumpTarget[jump]]);
      }
    }
  }

  #clearEdges(nodes: number): void {
    this.#edgeCount = 0;
    if (this.#inSize.length < nodes) {
      this.#outSize = new Int32Array(nodes * 2);
      this.#outNode = new Int32Array(nodes * 2);
      this.#inSize = new Int32Array(nodes * 2);
      this.#inNode = new Int32Array(nodes * 2);
    } else {
      this.#outSize.fill(0, 0, nodes);
      this.#inSize.fill(0, 0, nodes);
    }
  }

  #edge(from: number, to: number): void {
    this.#outSize[from]++;
    this.#outNode[from] = to;
    this.#inSize[to]++;
    this.#inNode[to] = from;
    const index = this.#edgeCount++;
    if (index === this.#from.length) {
      this.#from = grown(this.#from, index + 1);
      this.#to = grown(this.#to, index + 1);
    }
    this.#from[index] = from;
    this.#to[index] = to;
  }

  /** Whether `block` is only reached from the one before it, as the code goes on. */
  isContinued(block: number): boolean {
    return block > 0 && this.#goesOn[block - 1] === 1 && this.#inSize[block] === 1;
  }

  /** Whether the block before goes straight on into `block`, and jumps lead there too. */
  isJoin(block: number): boolean {
    return block > 0 && block < this.count && this.#isStraight[block - 1] === 1 &&
      this.start[block] === this.end[block - 1] && this.#inSize[block] > 1;
  }

  /** Whether the block only fills up to an aligned address. */
  isUnused(block: number, code: CodeReader): boolean {
    return this.#inSize[block] === 0 && this.#isPadding(block, code);
  }

  /** The block that always follows `block` and only that, or {@linkcode NO_BLOCK}: one runs exactly where the other does. */
  nextTwin(block: number): number {
    const next = this.#outNode[block];
    const isTwin = this.#outSize[block] === 1 && next < this.count && this.#inSize[next] === 1;
    return isTwin ? next : NO_BLOCK;
  }

  /** The block that `block` always follows, and nothing else, or {@linkcode NO_BLOCK}. */
  previousTwin(block: number): number {
    const previous = this.#inNode[block];
    const isTwin = this.#inSize[block] === 1 && previous < this.count &&
      this.#outSize[previous] === 1;
    return isTwin ? previous : NO_BLOCK;
  }

  /** Finds what {@linkcode before} and {@linkcode after} tell. */
  findDominators(code: CodeReader): void {
    const { count } = this;
    // What nothing is seen to lead to is entered from where it is not seen.
    const into = this.#into;
    for (let block = 0; block < count; block++) {
      if (this.#inSize[block] === 0 && !this.#isPadding(block, code)) this.#edge(count, block);
    }
    into.fill(this.#to, this.#from, this.#edgeCount, this.#inSize, count + 1);
    this.#out.fill(this.#from, this.#to, this.#edgeCount, this.#outSize, count + 1);
    this.#before.find(count + 1, count, this.#out, into);
    this.#after.find(count + 1, count, into, this.#out);
  }

  /** The last block that every way to `block` passes, or {@linkcode NO_BLOCK}. */
  before(block: number): number {
    const found = this.#before.of[block];
    return found === this.count ? NO_BLOCK : found;
  }

  /** The first block that every way from `block` passes, or {@linkcode NO_BLOCK}. */
  after(block: number): number {
    const found = this.#after.of[block];
    return found === this.count ? NO_BLOCK : found;
  }

  /** The block that an address of the function lies in, or {@linkcode NO_BLOCK}. */
  blockOf(address: number): number {
    const offset = this.#offsetOf(address);
    return offset < 0 ? NO_BLOCK : upperBound(this.#offset, offset, 0, this.count) - 1;
  }

  #offsetOf(address: number): number {
    for (let range = this.#first; range < this.#last; range++) {
      if (address >= this.#low[range] && address < this.#high[range]) {
        return this.#base[range - this.#first] + address - this.#low[range];
      }
    }
    return NO_BLOCK;
  }
}

/** Edges by the node at one of their ends. */
class EdgeTable implements Edges {
  first = new Int32Array(256);
  target = new Int32Array(512);

  /** @param size Number of edges of each node. */
  fill(
    nodes: Int32Array,
    others: Int32Array,
    edges: number,
    size: Int32Array,
    count: number,
  ): void {
    this.first = grown(this.first, count + 1);
    this.target = grown(this.target, edges);
    const { first, target } = this;
    let end = 0;
    for (let node = 0; node < count; node++) first[node] = end += size[node];
    first[count] = end;
    // From the ends of the places of each node backwards to their starts.
    for (let edge = edges - 1; edge >= 0; edge--) target[--first[nodes[edge]]] = others[edge];
  }
}
