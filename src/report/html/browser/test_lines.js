// @ts-check
/** @import { IndexData, RunData } from "../report_data.ts" */

import { decodeSet } from "./set_codec.js";

/**
 * Lines of one function, or of a file outside functions.
 *
 * @typedef {object} FunctionLines
 * @property {string} path
 * @property {string} name
 * @property {number} first Number of the function's first line.
 * @property {number} all Lines of the function.
 * @property {number | undefined} tests Tests that ran a line of the function; unknown outside functions.
 * @property {number[]} numbers Line numbers.
 */

/** Turns the line ids of tests into files, functions and numbers. */
export class LineIndex {
  /**
   * @param {RunData} run
   * @param {IndexData} data
   */
  constructor(run, data) {
    this.paths = run.files.path;
    this.data = data;
    this.groupLine = decodeSet(data.groupLine);
    /** @type {number[][]} */
    this.numbers = [];
  }

  /** @param {number} file */
  numbersOf(file) {
    return this.numbers[file] ??= decodeSet(this.data.numbers[file]);
  }

  /**
   * Ascending lines by function.
   *
   * @param {readonly number[]} lines
   * @returns {FunctionLines[]}
   */
  functionsOf(lines) {
    const { groupLine, data: { fileLine, names, groupTests } } = this;
    /** @type {FunctionLines[]} */
    const functions = [];
    let file = 0;
    let group = -1;
    /** First line after the function at hand. */
    let end = 0;
    for (const line of lines) {
      if (line >= end) {
        while (fileLine[file + 1] <= line) file++;
        while (group + 1 < groupLine.length && groupLine[group + 1] <= line) group++;
        const inside = group >= 0 && groupLine[group] >= fileLine[file];
        const start = inside ? groupLine[group] : fileLine[file];
        end = Math.min(groupLine[group + 1] ?? Infinity, fileLine[file + 1]);
        functions.push({
          path: this.paths[file],
          name: inside ? names[group] : "outside functions",
          first: this.numbersOf(file)[start - fileLine[file]],
          all: end - start,
          tests: inside ? groupTests[group] : undefined,
          numbers: [],
        });
      }
      functions[functions.length - 1].numbers.push(this.numbersOf(file)[line - fileLine[file]]);
    }
    return functions;
  }
}
