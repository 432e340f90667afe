// @ts-check
/// <reference lib="dom" />
/** @import { RunData } from "../../report_data.ts" */

import { callsOfLines } from "../calls/call_names.js";
import { loadFile } from "../data.js";
import { comparedList, comparedOfLine } from "../compared/compared_list.js";
import { announce, bar, breadcrumbs, element, fraction, link } from "../elements.js";
import { FileView, PASSED_TEXT, STATE_TEXT } from "../line_states.js";
import { LineDrawer } from "../source_lines.js";
import { sourcePanel } from "../source_panel.js";
import { sortableTable } from "../table.js";
import { address, count, plural } from "../text.js";

/** @typedef {import("../line_states.js").LineState} LineState */
/** @typedef {import("../main.js").Page} Page */
/** @typedef {{ line?: number, test?: number, with?: number }} SourceParameters */

/** Lines that are drawn together. */
const CHUNK_LINES = 100;
/** Milliseconds of drawing between two looks at what the reader does. */
const DRAW_SLICE = 12;

/**
 * @param {RunData} run
 * @param {string} path
 * @param {SourceParameters} parameters
 * @returns {Promise<Page>}
 */
export async function sourcePage(run, path, parameters) {
  const file = run.files.path.indexOf(path);
  if (file < 0) {
    return {
      title: path,
      parts: [
        element("h1", { class: "path" }, breadcrumbs(path, address.directory)),
        element("p", { class: "empty" }, "The image has no coverage points in this file."),
      ],
    };
  }
  const page = new SourceView(run, path, new FileView(await loadFile(file)), parameters);
  return {
    title: path,
    parts: [
      element("h1", { class: "path" }, breadcrumbs(path, address.directory)),
      page.facts(file),
      page.functionList(file),
      page.comparedLines(),
      page.legend(),
      page.layout,
    ],
    keys: {
      n: () => page.jump(1),
      p: () => page.jump(-1),
      Escape: () => page.closePanel(),
    },
    shown: () => page.shown(),
  };
}

class SourceView {
  /**
   * @param {RunData} run
   * @param {string} path
   * @param {FileView} view
   * @param {SourceParameters} parameters
   */
  constructor(run, path, view, parameters) {
    this.run = run;
    this.path = path;
    this.view = view;
    this.parameters = parameters;
    this.drawer = new LineDrawer(path, view, parameters);
    this.lines = this.drawer.lines;
    this.current = 0;
    this.chunks = this.makeChunks();
    this.code = element("div", {
      class: `code${parameters.test === undefined ? "" : " overlay"}${
        view.data.source === null ? " bare" : ""
      }`,
      style: `--columns:${this.drawer.columns};--narrow-columns:${this.drawer.narrowColumns}`,
      role: "group",
      "aria-label": `Source of ${path}`,
      click: (/** @type {MouseEvent} */ event) => this.clicked(event),
      keydown: (/** @type {KeyboardEvent} */ event) => this.keyed(event),
    }, ...this.chunks.map(({ view }) => view));
    this.layout = element("div", { class: "source" }, this.code);
    /** @type {HTMLElement | undefined} */
    this.panel = undefined;
  }

  makeChunks() {
    return Array.from({ length: Math.ceil(this.lines.length / CHUNK_LINES) }, (_, i) => {
      const from = i * CHUNK_LINES;
      const to = Math.min(from + CHUNK_LINES, this.lines.length);
      const view = element("div", { class: "chunk", style: `--lines:${to - from}` });
      return { from, to, view, drawn: false };
    });
  }

  /** @param {number} file */
  facts(file) {
    const { files, tests } = this.run;
    const { parameters: { test, with: other } } = this;
    return element(
      "div",
      { class: "file-facts" },
      element(
        "span",
        null,
        "Lines ",
        bar(files.linesHit[file], files.lines[file]),
        fraction(files.linesHit[file], files.lines[file]),
      ),
      element(
        "span",
        null,
        "Functions ",
        fraction(files.functionsHit[file], files.functions[file]),
      ),
      element("span", null, "Tests ", count(files.tests[file])),
      this.view.data.source === null
        ? element(
          "span",
          { class: "warn" },
          "The source was not at hand: line numbers and functions only",
        )
        : null,
      test === undefined ? null : element(
        "span",
        { class: "only" },
        "Showing ",
        element("mark", { class: "mine" }, link(address.test(test), tests.name[test])),
        other === undefined ? null : [
          " and ",
          element("mark", { class: "theirs" }, link(address.test(other), tests.name[other])),
        ],
        " ",
        link(address.file(this.path), "show all tests"),
      ),
    );
  }

  /** @param {number} file */
  functionList(file) {
    const { data, numbers } = this.view;
    const { files } = this.run;
    if (data.functions.length === 0) return null;
    const rows = data.functions.map(([name, first, end], group) => ({
      name,
      group,
      line: numbers[first],
      lines: end - first,
      hit: data.tests.slice(first, end).filter((tests) => tests > 0).length,
    }));
    const details = element(
      "details",
      { class: "functions" },
      element(
        "summary",
        null,
        `Functions: ${count(files.functionsHit[file])} of ${count(files.functions[file])} entered`,
        rows.length === files.functions[file]
          ? null
          : element("small", null, " (those that start on one line are one row)"),
      ),
    );
    // Drawn when it is opened: most readers come for the source.
    details.addEventListener("toggle", () => {
      const table = sortableTable({
        label: "Functions",
        rows,
        columns: [
          {
            label: "Function",
            head: true,
            key: (row) => row.name,
            cell: (row) =>
              element("button", {
                type: "button",
                class: "linkish",
                click: () => this.openFunction(row.group),
              }, row.name),
          },
          { label: "Line", numeric: true, key: (row) => row.line, cell: (row) => count(row.line) },
          {
            label: "Lines hit",
            numeric: true,
            key: (row) => row.hit / row.lines,
            cell: (row) => bar(row.hit, row.lines),
          },
          {
            label: "hit / all",
            numeric: true,
            key: (row) => row.lines,
            cell: (row) => fraction(row.hit, row.lines),
          },
        ],
      });
      details.append(table.view);
    }, { once: true });
    return details;
  }

  comparedLines() {
    return comparedList(this.view.data, (line) => this.open(line, true));
  }

  legend() {
    const { test, with: other } = this.parameters;
    const stop = test === undefined
      ? "uncovered"
      : other === undefined
      ? "line of the test"
      : "line of the tests";
    const keys = test === undefined
      ? /** @type {LineState[]} */ (["all", "some", "none", "never", "blank"])
        .map((state) => element("span", { class: `key ${state}` }, STATE_TEXT[state]))
      : [
        element(
          "span",
          { class: "key mine" },
          other !== undefined ? "first test only" : "run by this test",
        ),
        other !== undefined ? element("span", { class: "key theirs" }, "second test only") : null,
        other !== undefined ? element("span", { class: "key both" }, "both") : null,
        element("span", { class: "key blank" }, STATE_TEXT.blank),
      ];
    return element(
      "p",
      { class: "legend lines" },
      ...keys,
      element(
        "span",
        { class: "jump" },
        element(
          "button",
          { type: "button", click: () => this.jump(-1) },
          `Previous ${stop} `,
          element("kbd", null, "p"),
        ),
        element(
          "button",
          { type: "button", click: () => this.jump(1) },
          `Next ${stop} `,
          element("kbd", null, "n"),
        ),
      ),
    );
  }

  /** Called when the page stands in the document. */
  shown() {
    const { line, test } = this.parameters;
    if (line !== undefined) this.open(line, false);
    else if (test !== undefined && this.stops().length > 0) this.select(this.stops()[0]);
    this.drawChunk(0);
    if (this.current === 0) this.code.querySelector("button.tests")?.setAttribute("tabindex", "0");
    this.drawRest(0);
  }

  /**
   * Draws what was not yet looked at, a little at a time, so that the browser's own search finds all of it.
   *
   * @param {number} from
   */
  drawRest(from) {
    const end = performance.now() + DRAW_SLICE;
    let i = from;
    while (i < this.chunks.length && performance.now() < end) this.drawChunk(i++);
    if (i < this.chunks.length) {
      setTimeout(() => {
        if (this.code.isConnected) this.drawRest(i);
      }, 16);
    }
  }

  /** @param {number} i */
  drawChunk(i) {
    const chunk = this.chunks[i];
    if (chunk === undefined || chunk.drawn) return;
    chunk.drawn = true;
    const rows = [];
    for (let row = chunk.from; row < chunk.to; row++) rows.push(this.drawer.draw(row));
    chunk.view.append(...rows);
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const line = target.closest(".line");
    if (line === null || getSelection()?.isCollapsed === false) return;
    const anchor = target.closest("a");
    if (anchor !== null) event.preventDefault();
    const number = Number(line.id.slice(1));
    if (anchor !== null || this.view.indexOf.has(number)) this.open(number, true);
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || this.current === 0) return;
    event.preventDefault();
    const index = (this.view.indexOf.get(this.current) ?? 0) + step;
    const number = this.view.numbers[index];
    if (number !== undefined) this.select(number);
  }

  /**
   * Marks a line, brings it into view and gives it the focus.
   *
   * @param {number} number
   */
  select(number) {
    let row = this.lines.indexOf(number);
    if (row < 0) row = this.lines.findIndex((line) => line >= number);
    if (row < 0) return;
    const chunk = Math.floor(row / CHUNK_LINES);
    for (let i = chunk - 1; i <= chunk + 1; i++) this.drawChunk(i);
    for (const old of this.code.querySelectorAll(".line.current")) old.classList.remove("current");
    for (const button of this.code.querySelectorAll('button.tests[tabindex="0"]')) {
      button.setAttribute("tabindex", "-1");
    }
    this.current = this.lines[row];
    const line = document.getElementById(`L${this.current}`);
    line?.classList.add("current");
    const button = line?.querySelector("button");
    button?.setAttribute("tabindex", "0");
    button?.focus({ preventScroll: true });
    const box = line?.getBoundingClientRect();
    const bottom = this.panel === undefined || innerWidth > 900 ? innerHeight : innerHeight * 0.4;
    if (box !== undefined && (box.top < 120 || box.bottom > bottom - 40)) {
      line?.scrollIntoView({ block: innerWidth > 900 ? "center" : "start" });
    }
  }

  /**
   * Opens the panel of a line.
   *
   * @param {number} number
   * @param {boolean} remember
   */
  open(number, remember) {
    const { view } = this;
    const index = view.indexOf.get(number);
    const state = view.stateOf(number);
    if (index !== undefined) {
      const group = view.group[index];
      const { points, pointsHit } = view.data;
      this.showPanel({
        title: `Line ${count(number)}`,
        facts: [
          element(
            "span",
            { class: `key ${state}` },
            state === "some" && pointsHit[index] === 0 ? PASSED_TEXT : STATE_TEXT[state],
          ),
          element("span", null, `${count(pointsHit[index])} of ${plural(points[index], "point")}`),
          group < 0 ? null : element("button", {
            type: "button",
            class: "linkish",
            click: () => this.openFunction(group),
          }, `in ${view.data.functions[group][0]}`),
          comparedOfLine(view.data, number),
        ],
        calls: callsOfLines(view.data, index, index + 1),
        tests: view.testsOfLine(index),
        whole: points[index],
        unit: "point",
        showOnly: (test) => address.file(this.path, { line: number, test }),
      });
      announce(`Line ${number}: ${plural(view.data.tests[index], "test")}, ${STATE_TEXT[state]}`);
    } else this.closePanel();
    this.select(number);
    if (remember) {
      history.replaceState(null, "", address.file(this.path, { ...this.parameters, line: number }));
    }
  }

  /** @param {number} group */
  openFunction(group) {
    const { data, numbers } = this.view;
    const [name, first, end] = data.functions[group];
    this.showPanel({
      title: name,
      facts: [
        element("span", null, `lines ${numbers[first]}–${numbers[end - 1]}`),
        bar(data.tests.slice(first, end).filter((tests) => tests > 0).length, end - first),
      ],
      calls: callsOfLines(data, first, end),
      tests: this.view.testsOfLines(first, end),
      whole: end - first,
      unit: "line",
      showOnly: (test) => address.file(this.path, { line: numbers[first], test }),
    });
    this.select(numbers[first]);
  }

  /** @param {import("../source_panel.js").PanelContent} content */
  showPanel(content) {
    this.panel?.remove();
    this.panel = sourcePanel(this.run, content, () => this.closePanel());
    this.layout.append(this.panel);
    this.layout.classList.add("with-panel");
  }

  closePanel() {
    this.panel?.remove();
    this.panel = undefined;
    this.layout.classList.remove("with-panel");
    document.getElementById(`L${this.current}`)?.querySelector("button")?.focus({
      preventScroll: true,
    });
  }

  /**
   * Numbers of the lines to go to: the first of each run of lines, within one function, that no test ran, or, where
   * only some tests are shown, that they ran.
   *
   * @returns {number[]}
   */
  stops() {
    const { numbers, data, group } = this.view;
    const { mine, theirs } = this.drawer;
    const isWanted = mine === undefined
      ? (/** @type {number} */ i) => data.tests[i] === 0
      : (/** @type {number} */ i) => mine.has(i) || theirs?.has(i) === true;
    return numbers.filter((_, i) =>
      isWanted(i) && (i === 0 || !isWanted(i - 1) || group[i - 1] !== group[i])
    );
  }

  /** @param {1 | -1} step */
  jump(step) {
    const ahead = this.stops().filter((number) =>
      step > 0 ? number > this.current : number < this.current
    );
    const next = step > 0 ? ahead[0] : ahead.at(-1);
    if (next === undefined) {
      const what = this.parameters.test === undefined ? "uncovered line" : "line of the test";
      announce(`No ${what} ${step > 0 ? "below" : "above"}`);
    } else this.open(next, true);
  }
}
