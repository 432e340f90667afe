import { grown } from "../base/grow.ts";
import { lowerBound } from "../base/search.ts";
import type { FormatError } from "../errors.ts";
import {
  type AbbrevTable,
  ROLE_CODE,
  ROLE_LABEL,
  ROLE_LEAF,
  ROLE_SCOPE,
  ROLE_SKIP,
  STEP_SIBLING,
} from "./abbrev.ts";
import { addressFromHalves } from "../base/address.ts";
import { type BinaryReader, int32At } from "../base/binary_reader.ts";
import * as dw from "./constants.ts";
import { Die } from "./die.ts";
import { skipForm } from "./forms.ts";
import {
  InstancePlans,
  PLAN_CALL_FILE,
  PLAN_CALL_FILE_SIZE,
  PLAN_CALL_LINE,
  PLAN_CALL_LINE_SIZE,
  PLAN_HIGH_PC,
  PLAN_LOW_PC,
  PLAN_ORIGIN,
  PLAN_RANGES,
  PLAN_SIBLING,
} from "./instance_plans.ts";
import { rangesAt, rangesOf } from "./ranges.ts";
import type { Unit } from "./unit.ts";

/** Deeper nesting than any compiler writes; a damaged unit must not grow the stack without end. */
const DEEPEST = 4096;

/**
 * The subprograms and inlined subroutines of one unit that have code, as columns, parents before children; and their
 * address ranges in the same order. Filled again for each unit, so that large columns are made once.
 */
export class CodeTree {
  /** Number of entries. */
  count = 0;
  /** The nearest enclosing entry, or -1. */
  parent = new Int32Array(256);
  /** 1 for an inlined subroutine, 0 for a subprogram. */
  inlined = new Uint8Array(256);
  /**
   * Offset in `.debug_info` of the entry that says what the function is: its own, or where it says nothing itself its
   * `DW_AT_abstract_origin`, which all instances of a function share.
   */
  source = new Float64Array(256);
  /** Line table index of the file, and the line, of the call that was inlined; 0 where unknown. */
  callFile = new Int32Array(256);
  callLine = new Int32Array(256);

  /** Number of ranges that are not empty. */
  rangeCount = 0;
  rangeEntry = new Int32Array(256);
  rangeLow = new Float64Array(256);
  rangeHigh = new Float64Array(256);
  /** The first of the addresses that is not below the range. */
  rangeFirst = new Int32Array(256);

  /**
   * Labels: address, -1 where the compiler has dropped it; offset of the entry that says where the label is declared;
   * and the last entry before the label, which is its function or within it.
   */
  labelCount = 0;
  labelAddress = new Float64Array(64);
  labelSource = new Float64Array(64);
  labelEntry = new Int32Array(64);

  readonly #die = new Die();
  readonly #plans = new InstancePlans();
  readonly #addRange = (low: number, high: number): void => this.#range(low, high);
  #addresses: ArrayLike<number> = [];
  /** The address that was found last: the next is near. */
  #near = 0;

  /**
   * Reads the tree of `unit`, as far as it says anything of the ascending `addresses`.
   *
   * @param allCalls also labels, and inlined calls that none of the addresses is in, of functions that some are in
   * @throws {FormatError} where an entry is damaged; the columns then hold the entries before it
   */
  read(unit: Unit, addresses: ArrayLike<number>, allCalls: boolean): void {
    this.count = 0;
    this.rangeCount = 0;
    this.labelCount = 0;
    this.#addresses = addresses;
    this.#near = 0;
    const { bytes, abbrevs, header } = unit;
    const { role, fixedSize, leafSize, siblingAt } = abbrevs;
    const codes = abbrevs.size;
    this.#plans.clear(codes);
    const end = bytes.length;
    const { reader } = unit;
    /** Enclosing entry per open scope. */
    const scopes: number[] = [];
    let entry = -1;
    let pos = header.dieOffset - header.offset;
    while (pos < end) {
      const start = pos;
      let code = bytes[pos++];
      if (code >= 0x80) {
        if (pos < end && bytes[pos] < 0x80) code = code & 0x7f | bytes[pos++] << 7;
        else {
          reader.pos = start;
          code = reader.uleb();
          pos = reader.pos;
        }
      }
      if (code < codes && leafSize[code] >= 0) {
        pos += leafSize[code];
        continue;
      }
      if (code === 0) {
        if (scopes.length === 0) break;
        entry = scopes.pop() as number;
        // Padding may follow the root's last child.
        if (scopes.length === 0) break;
        continue;
      }
      const what = code < codes ? role[code] : 0;
      if (what === ROLE_SKIP) {
        const at = siblingAt[code];
        let next: number;
        if (at >= 0 && pos + at + 4 <= end) {
          next = int32At(bytes, pos + at) >>> 0;
        } else {
          reader.pos = pos;
          next = this.#sibling(reader, unit, code);
        }
        if (next <= pos || next > end) throw misled(reader, next, start);
        pos = next;
        continue;
      }
      if (what === ROLE_CODE) {
        const keepsAll = allCalls && entry >= 0;
        const plan = this.#plans.planOf(abbrevs, code);
        let isWanted: boolean, next: number;
        if (plan >= 0 && fixedSize[code] <= end - pos) {
          isWanted = this.#readInstance(unit, code, pos, plan, entry, keepsAll);
          const sibling = this.#plans.places[plan + PLAN_SIBLING];
          next = sibling >= 0 ? int32At(bytes, pos + sibling) >>> 0 : -1;
          pos += fixedSize[code];
        } else {
          reader.pos = pos;
          const ranges = this.rangeCount;
          this.#readEntry(reader, unit, code, start, entry);
          pos = reader.pos;
          isWanted = keepsAll || this.#holds(ranges);
          if (!isWanted) {
            this.count--;
            this.rangeCount = ranges;
          }
          next = this.#die.sibling >= 0 ? this.#die.sibling - header.offset : -1;
        }
        if (abbrevs.hasChildren[code] === 0) {
          if (scopes.length === 0) break;
        } else if (!isWanted && next !== -1) {
          if (next < pos || next > end) throw misled(reader, next, start);
          pos = next;
        } else {
          scopes.push(entry);
          if (isWanted) entry = this.count - 1;
        }
      } else if (what === ROLE_LABEL && allCalls) {
        reader.pos = pos;
        this.#readLabel(reader, unit, code, start, entry >= 0);
        pos = reader.pos;
        if (scopes.length === 0) break;
      } else if (what === ROLE_LEAF || what === ROLE_SCOPE || what === ROLE_LABEL) {
        if (fixedSize[code] >= 0) pos += fixedSize[code];
        else {
          reader.pos = pos;
          skipSteps(reader, abbrevs, code, header.offsetSize);
          pos = reader.pos;
        }
        if (what === ROLE_SCOPE) scopes.push(entry);
        else if (scopes.length === 0) break;
      } else {
        throw reader.problem(`no abbreviation ${code}`, start);
      }
      if (scopes.length > DEEPEST) throw reader.problem("entries are nested too deeply", start);
    }
    if (pos > end) throw reader.problem("entry goes past the unit's end", end);
  }

  #readEntry(reader: BinaryReader, unit: Unit, code: number, start: number, parent: number): void {
    const die = this.#die;
    const { header, abbrevs } = unit;
    die.read(reader, abbrevs, code, header.offset, header.offsetSize);
    const index = this.#addEntry(die.tag, parent);
    const saysNothing = die.nameForm === 0 && die.linkageNameForm === 0 && die.declFile < 0 &&
      die.declLine < 0;
    this.source[index] = saysNothing && die.origin >= 0 ? die.origin : header.offset + start;
    this.callFile[index] = Math.max(0, die.callFile);
    this.callLine[index] = Math.max(0, die.callLine);
    rangesOf(unit, die, this.#addRange);
  }

  /** Adds an entry; its other columns are still to be filled. */
  #addEntry(tag: number, parent: number): number {
    const index = this.count;
    if (index === this.parent.length) {
      this.parent = grown(this.parent, index + 1);
      this.inlined = grown(this.inlined, index + 1);
      this.source = grown(this.source, index + 1);
      this.callFile = grown(this.callFile, index + 1);
      this.callLine = grown(this.callLine, index + 1);
    }
    this.count = index + 1;
    this.parent[index] = parent;
    this.inlined[index] = tag === dw.DW_TAG_inlined_subroutine ? 1 : 0;
    return index;
  }

  /**
   * Reads an entry by its plan and adds it where it is wanted: that an address is in it is looked at before the rest.
   *
   * @param pos where its attributes begin
   * @returns whether it is wanted
   */
  #readInstance(
    unit: Unit,
    code: number,
    pos: number,
    plan: number,
    parent: number,
    keepsAll: boolean,
  ): boolean {
    const { bytes, header, abbrevs } = unit;
    const { places } = this.#plans;
    const ranges = this.rangeCount;
    let index: number;
    if (places[plan + PLAN_RANGES] < 0) {
      const low = addressAt(bytes, pos + places[plan + PLAN_LOW_PC]);
      const high = low + addressAt(bytes, pos + places[plan + PLAN_HIGH_PC]);
      if (!keepsAll) {
        const at = this.#find(low);
        if (!(at < this.#addresses.length && this.#addresses[at] < high)) return false;
      }
      index = this.#addEntry(abbrevs.tag[code], parent);
      this.#range(low, high);
    } else {
      index = this.#addEntry(abbrevs.tag[code], parent);
      rangesAt(unit, int32At(bytes, pos + places[plan + PLAN_RANGES]) >>> 0, this.#addRange);
      if (!keepsAll && !this.#holds(ranges)) {
        this.count--;
        this.rangeCount = ranges;
        return false;
      }
    }
    this.source[index] = header.offset + (int32At(bytes, pos + places[plan + PLAN_ORIGIN]) >>> 0);
    this.callFile[index] = numberAt(
      bytes,
      pos,
      places[plan + PLAN_CALL_FILE],
      places[plan + PLAN_CALL_FILE_SIZE],
    );
    this.callLine[index] = numberAt(
      bytes,
      pos,
      places[plan + PLAN_CALL_LINE],
      places[plan + PLAN_CALL_LINE_SIZE],
    );
    return true;
  }

  #readLabel(
    reader: BinaryReader,
    unit: Unit,
    code: number,
    start: number,
    isWanted: boolean,
  ): void {
    const die = this.#die;
    const { header, abbrevs } = unit;
    die.read(reader, abbrevs, code, header.offset, header.offsetSize);
    if (!isWanted) return;
    const address = die.lowPcForm === 0 ? -1 : unit.address(die.lowPc, die.lowPcForm);
    const index = this.labelCount++;
    if (index === this.labelAddress.length) {
      this.labelAddress = grown(this.labelAddress, index + 1);
      this.labelSource = grown(this.labelSource, index + 1);
      this.labelEntry = grown(this.labelEntry, index + 1);
    }
    this.labelAddress[index] = address;
    this.labelEntry[index] = this.count - 1;
    this.labelSource[index] = die.origin >= 0 ? die.origin : header.offset + start;
  }

  /** Whether an address is in one of the ranges from `first` on. */
  #holds(first: number): boolean {
    const addresses = this.#addresses;
    for (let range = first; range < this.rangeCount; range++) {
      const at = this.rangeFirst[range];
      if (at < addresses.length && addresses[at] < this.rangeHigh[range]) return true;
    }
    return false;
  }

  /** The first address that is not below `low`: looked for near the last one, in steps that double. */
  #find(low: number): number {
    const addresses = this.#addresses, { length } = addresses;
    let from = this.#near, to = from;
    if (from < length && addresses[from] < low) {
      for (let step = 1; to < length && addresses[to] < low; step *= 2) {
        from = to + 1;
        to += step;
      }
    } else {
      for (let step = 1; from > 0 && addresses[from - 1] >= low; step *= 2) {
        to = from - 1;
        from -= step;
      }
    }
    return this.#near = lowerBound(addresses, low, Math.max(0, from), Math.min(length, to));
  }

  #range(low: number, high: number): void {
    if (!(low < high)) return;
    const index = this.rangeCount;
    if (index === this.rangeLow.length) {
      this.rangeEntry = grown(this.rangeEntry, index + 1);
      this.rangeLow = grown(this.rangeLow, index + 1);
      this.rangeHigh = grown(this.rangeHigh, index + 1);
      this.rangeFirst = grown(this.rangeFirst, index + 1);
    }
    this.rangeCount = index + 1;
    this.rangeEntry[index] = this.count - 1;
    this.rangeLow[index] = low;
    this.rangeHigh[index] = high;
    this.rangeFirst[index] = this.#find(low);
  }

  /** The target of a `DW_AT_sibling` behind attributes of varying size. */
  #sibling(reader: BinaryReader, unit: Unit, code: number): number {
    const { abbrevs, header } = unit;
    let step = abbrevs.stepsOf(code);
    for (const { steps } = abbrevs;; step += 2) {
      reader.skip(steps[step]);
      const form = steps[step + 1];
      if (form === STEP_SIBLING) return reader.u32();
      skipForm(reader, form, header.addressSize, header.offsetSize);
    }
  }
}

function addressAt(bytes: Uint8Array, at: number): number {
  return addressFromHalves(int32At(bytes, at), int32At(bytes, at + 4));
}

/**
 * A number that a plan gives the place of; 0 where the entry has none.
 *
 * @param pos where the attributes begin
 */
function numberAt(bytes: Uint8Array, pos: number, place: number, size: number): number {
  switch (size) {
    case 0:
      return place;
    case 1:
      return bytes[pos + place];
    case 2:
      return bytes[pos + place] | bytes[pos + place + 1] << 8;
    case 4:
      return Math.max(0, int32At(bytes, pos + place));
    default:
      return 0;
  }
}

function misled(reader: BinaryReader, sibling: number, start: number): FormatError {
  return reader.problem(`DW_AT_sibling 0x${sibling.toString(16)} does not lead forward`, start);
}

/** Skips attributes of varying size; runs of fixed ones in one addition. */
function skipSteps(
  reader: BinaryReader,
  abbrevs: AbbrevTable,
  code: number,
  offsetSize: number,
): void {
  let step = abbrevs.stepsOf(code);
  for (const { steps } = abbrevs;; step += 2) {
    reader.skip(steps[step]);
    const form = steps[step + 1];
    if (form === 0) return;
    skipForm(reader, form, 8, offsetSize);
  }
}
