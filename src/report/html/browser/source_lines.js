// @ts-check
/// <reference lib="dom" />

import { CTokens } from "./c_tokens.js";
import { STATE_TEXT } from "./line_states.js";
import { address, count, plural } from "./text.js";

/** @typedef {import("./line_states.js").FileView} FileView */

/** Draws the lines of a source page. */
export class LineDrawer {
  /**
   * @param {string} path
   * @param {FileView} view
   * @param {{ line?: number, test?: number, with?: number }} parameters
   */
  constructor(path, view, parameters) {
    const { source } = view.data;
    this.path = path;
    this.view = view;
    this.parameters = parameters;
    this.text = source ?? "";
    /** Offset of each line of the source. */
    this.offsets = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
      this.offsets.push(at + 1);
    }
    /** Numbers of the lines to show: all, or those known of where the source is not at hand. */
    this.lines = source === null
      ? [...view.numbers, ...view.unknown].sort((a, b) => a - b)
      : Array.from(
        { length: this.offsets.length - (source.endsWith("\n") ? 1 : 0) },
        (_, i) => i + 1,
      );
    this.columns = longestLine(this.text, 8);
    this.narrowColumns = longestLine(this.text, 4);
    this.tokens = new CTokens(/\.[ch]$/.test(path) ? this.text : "");
    this.mine = parameters.test === undefined ? undefined : view.linesOfTest(parameters.test);
    this.theirs = parameters.with === undefined ? undefined : view.linesOfTest(parameters.with);
    /** Names of the functions by their first line. */
    this.starts = new Map(view.data.functions.map(([name, first]) => [view.numbers[first], name]));
  }

  /**
   * The row of a line: number, tests, source.
   *
   * @param {number} row
   */
  draw(row) {
    const number = this.lines[row];
    const { data, indexOf } = this.view;
    const index = indexOf.get(number);
    const state = this.view.stateOf(number);
    const gap = this.view.data.source === null && row > 0 && this.lines[row - 1] !== number - 1;
    const line = document.createElement("div");
    line.className = `line ${this.mine ? this.overlayOf(index) : state}${gap ? " gap" : ""}`;
    line.id = `L${number}`;
    const anchor = document.createElement("a");
    anchor.className = "no";
    anchor.href = address.file(this.path, { ...this.parameters, line: number });
    anchor.tabIndex = -1;
    anchor.textContent = String(number);
    line.append(anchor);
    if (index === undefined) {
      const margin = document.createElement("span");
      margin.className = "tests";
      if (state === "unknown") {
        margin.textContent = "?";
        margin.title = STATE_TEXT.unknown;
      }
      line.append(margin);
    } else {
      const button = document.createElement("button");
      button.className = "tests";
      button.tabIndex = -1;
      button.textContent = count(data.tests[index]);
      button.setAttribute(
        "aria-label",
        `Line ${number}: ${plural(data.tests[index], "test")}, ${STATE_TEXT[state]}`,
      );
      line.append(button);
    }
    line.append(this.codeOf(row));
    return line;
  }

  /** @param {number | undefined} index */
  overlayOf(index) {
    if (index === undefined) return "blank";
    const mine = this.mine?.has(index) ?? false;
    const theirs = this.theirs?.has(index) ?? false;
    return mine ? theirs ? "both" : "mine" : theirs ? "theirs" : "other";
  }

  /** @param {number} row */
  codeOf(row) {
    const code = document.createElement("code");
    if (this.view.data.source === null) {
      const start = this.starts.get(this.lines[row]);
      if (start !== undefined) code.textContent = start;
      return code;
    }
    const start = this.offsets[row];
    const end = row + 1 < this.offsets.length ? this.offsets[row + 1] - 1 : this.text.length;
    let at = start;
    const tokens = this.tokens.upTo(end);
    for (let i = firstToken(tokens, start); i < tokens.length; i++) {
      const token = tokens[i];
      if (token.start >= end) break;
      if (token.start > at) code.append(this.text.slice(at, token.start));
      const span = document.createElement("span");
      span.className = token.kind;
      span.textContent = this.text.slice(token.start, token.end);
      code.append(span);
      at = token.end;
    }
    if (at < end) code.append(this.text.slice(at, end));
    return code;
  }
}

/**
 * Columns of the longest line of a text.
 *
 * @param {string} text
 * @param {number} tab Columns from one tab stop to the next.
 */
function longestLine(text, tab) {
  let longest = 0;
  let column = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10) column = 0;
    else column += code === 9 ? tab - column % tab : 1;
    if (column > longest) longest = column;
  }
  return longest;
}

/**
 * Index of the first token at or after an offset.
 *
 * @param {readonly import("./c_tokens.js").Token[]} tokens
 * @param {number} offset
 */
function firstToken(tokens, offset) {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (tokens[middle].start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
