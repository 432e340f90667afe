// @ts-check
/** @import { FileData } from "../report_data.ts" */

import { decodeSet } from "./set_codec.js";

/**
 * What is known of a line: `all` of its points were hit; `some`, or it is only known to have been passed; `none`;
 * `never`: none, and no line of its function was; `unknown`: only tail calls claim it; `blank`: no point claims it.
 *
 * @typedef {"all" | "some" | "none" | "never" | "unknown" | "blank"} LineState
 */

/** @type {Readonly<Record<LineState, string>>} */
export const STATE_TEXT = {
  all: "all points hit",
  some: "some points hit",
  none: "not hit",
  never: "function never entered",
  unknown: "only tail calls, which KCOV cannot show",
  blank: "no point: not compiled, or no code of its own",
};

/** Said of a line that was run though none of its points was hit. */
export const PASSED_TEXT = "passed: a call inlined there was entered";

/** A file's data with what is worked out from it. */
export class FileView {
  /** @param {FileData} data */
  constructor(data) {
    this.data = data;
    /** Line numbers, ascending; the columns of the data go with them. */
    this.numbers = decodeSet(data.number);
    /** Index of each line number. */
    this.indexOf = new Map(this.numbers.map((number, index) => [number, index]));
    this.merged = new Set(decodeSet(data.merged));
    this.unknown = new Set(decodeSet(data.unknown));
    /** Group of functions that owns each index, or -1. */
    this.group = new Int32Array(this.numbers.length).fill(-1);
    /** Whether any line of each group was hit. */
    this.entered = data.functions.map(([, first, end], group) => {
      this.group.fill(group, first, end);
      return data.tests.slice(first, end).some((tests) => tests > 0);
    });
    /** @type {Map<number, number[]>} */
    this.decoded = new Map();
  }

  /**
   * @param {number} number
   * @returns {LineState}
   */
  stateOf(number) {
    const index = this.indexOf.get(number);
    if (index === undefined) return this.unknown.has(number) ? "unknown" : "blank";
    if (this.data.tests[index] === 0) {
      return this.group[index] >= 0 && !this.entered[this.group[index]] ? "never" : "none";
    }
    return this.data.pointsHit[index] < this.data.points[index] ? "some" : "all";
  }

  /** @param {number} set */
  testsOfSet(set) {
    let tests = this.decoded.get(set);
    if (tests === undefined) this.decoded.set(set, tests = decodeSet(this.data.testSets[set]));
    return tests;
  }

  /**
   * The tests that ran a line, each with the number of its points that it hit; `undefined` where the line has too
   * many points for that.
   *
   * @param {number} index
   * @returns {Map<number, number | undefined>}
   */
  testsOfLine(index) {
    /** @type {Map<number, number | undefined>} */
    const found = new Map();
    const merged = this.merged.has(index);
    for (const set of this.data.sets[index]) {
      const points = set < 0 ? 0 : 1;
      for (const test of this.testsOfSet(set < 0 ? -1 - set : set)) {
        found.set(test, merged ? undefined : (found.get(test) ?? 0) + points);
      }
    }
    return found;
  }

  /**
   * The tests that ran any of the lines from `first` to before `end`, each with the number of these lines it ran.
   *
   * @param {number} first
   * @param {number} end
   * @returns {Map<number, number>}
   */
  testsOfLines(first, end) {
    /** @type {Map<number, number>} */
    const found = new Map();
    for (let index = first; index < end; index++) {
      for (const test of this.testsOfLine(index).keys()) {
        found.set(test, (found.get(test) ?? 0) + 1);
      }
    }
    return found;
  }

  /**
   * Indexes of the lines that a test ran.
   *
   * @param {number} test
   * @returns {Set<number>}
   */
  linesOfTest(test) {
    const has = this.data.testSets.map((_, set) => holds(this.testsOfSet(set), test));
    /** @type {Set<number>} */
    const lines = new Set();
    this.data.sets.forEach((sets, index) => {
      if (sets.some((set) => has[set < 0 ? -1 - set : set])) lines.add(index);
    });
    return lines;
  }
}

/**
 * @param {readonly number[]} ascending
 * @param {number} value
 */
function holds(ascending, value) {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return ascending[low] === value;
}
