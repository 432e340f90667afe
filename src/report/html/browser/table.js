// @ts-check
/// <reference lib="dom" />

import { announce, element } from "./elements.js";
import { count, plural } from "./text.js";

/** @typedef {import("./elements.js").Child} Child */

/** Rows that are drawn at once; the rest is a button away. */
const PAGE_ROWS = 200;

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: Row) => Child | readonly Child[]} cell
 * @property {(row: Row) => number | string} [key] What the column sorts by; without it the column does not sort.
 * @property {boolean} [numeric] Aligned right, and sorted from the largest at first.
 * @property {string} [class]
 * @property {boolean} [head] Whether the cell names its row.
 */

/**
 * @template Row
 * @typedef {object} TableOptions
 * @property {string} label
 * @property {readonly Column<Row>[]} columns
 * @property {readonly Row[]} rows
 * @property {number} [sortBy] Column to sort by at first; the rows' own order where absent.
 * @property {boolean} [descending]
 * @property {string} [empty] Shown where there is no row.
 */

/**
 * A table whose columns sort, with a function that gives it other rows.
 *
 * @template Row
 * @param {TableOptions<Row>} options
 * @returns {{ view: HTMLElement, show: (rows: readonly Row[]) => void }}
 */
export function sortableTable({ label, columns, rows, sortBy, descending, empty }) {
  let sorted = sortBy ?? -1;
  let down = descending ?? false;
  let shown = PAGE_ROWS;
  let all = rows;
  const heads = columns.map((column, i) => {
    const { key } = column;
    const content = key === undefined ? column.label : element("button", {
      type: "button",
      click: () => {
        down = sorted === i ? !down : column.numeric === true;
        sorted = i;
        draw();
        announce(`Sorted by ${column.label}, ${down ? "descending" : "ascending"}`);
      },
    }, column.label);
    return element("th", { scope: "col", class: classOf(column) }, content);
  });
  const body = element("tbody");
  const more = element("button", {
    type: "button",
    class: "more",
    click: () => {
      shown = shown === PAGE_ROWS ? 10 * PAGE_ROWS : Infinity;
      draw();
    },
  });

  function draw() {
    const { key } = columns[sorted] ?? {};
    const order = key === undefined ? all : [...all].sort((a, b) => {
      const x = key(a), y = key(b);
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
    });
    heads.forEach((head, i) => {
      if (i === sorted) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    body.replaceChildren(
      ...order.slice(0, shown).map((row) =>
        element(
          "tr",
          null,
          ...columns.map((column) =>
            element(
              column.head ? "th" : "td",
              { class: classOf(column), scope: column.head ? "row" : null },
              .../** @type {Child[]} */ ([column.cell(row)].flat()),
            )
          ),
        )
      ),
    );
    if (order.length === 0) {
      body.append(
        element(
          "tr",
          null,
          element("td", { colspan: columns.length, class: "empty" }, empty ?? "Nothing to show"),
        ),
      );
    }
    const rest = order.length - Math.min(order.length, shown);
    more.hidden = rest === 0;
    more.textContent = `Show more of ${count(rest)} further rows`;
  }

  draw();
  const table = element(
    "table",
    { "aria-label": label },
    element("thead", null, element("tr", null, ...heads)),
    body,
  );
  return {
    view: element("div", { class: "table" }, table, more),
    show(next) {
      all = next;
      shown = PAGE_ROWS;
      draw();
    },
  };
}

/**
 * @template Row
 * @param {Column<Row>} column
 */
function classOf(column) {
  return [column.numeric ? "number" : "", column.class ?? ""].join(" ").trim() || null;
}

/**
 * A box to filter rows with: words, all of which must occur; calls back when it rests.
 *
 * @param {string} label
 * @param {(matches: (text: string) => boolean, text: string) => void} onChange
 */
export function filterBox(label, onChange) {
  let timer = setTimeout(Boolean, 0);
  const input = element("input", {
    type: "search",
    placeholder: label,
    "aria-label": label,
    spellcheck: "false",
    autocomplete: "off",
    input: () => {
      clearTimeout(timer);
      timer = setTimeout(() => onChange(matcher(input.value), input.value), 80);
    },
  });
  return input;
}

/**
 * Whether a text holds all words of `wanted`, in any case.
 *
 * @param {string} wanted
 * @returns {(text: string) => boolean}
 */
export function matcher(wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return (text) => {
    const lower = text.toLowerCase();
    return words.every((word) => lower.includes(word));
  };
}

/**
 * @param {number} shown
 * @param {number} all
 * @param {string} one
 */
export function shownOf(shown, all, one) {
  return shown === all ? plural(all, one) : `${count(shown)} of ${plural(all, one)}`;
}
