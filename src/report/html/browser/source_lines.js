// @ts-check
/// <reference lib="dom" />

import { cTokens } from "./c_tokens.js";
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
    /** Numbers of the lines to show: all, or those known of where the source is not at hand. */
    this.lines = source === null
      ? [...view.numbers, ...view.unknown].sort((a, b) => a - b)
      : Array.from(
        { length: source.split("\n").length - (source.endsWith("\n") ? 1 : 0) },
        (_, i) => i + 1,
      );
    /** Offset of each line of the source. */
    this.offsets = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
      this.offsets.push(at + 1);
    }
    this.tokens = /\.[ch]$/.test(path) ? cTokens(this.text) : [];
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
    for (let i = this.firstToken(start); i < this.tokens.length; i++) {
      const token = this.tokens[i];
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

  /**
   * Index of the first token at or after an offset.
   *
   * @param {number} offset
   */
  firstToken(offset) {
    let low = 0;
    let high = this.tokens.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.tokens[middle].start < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
