// @ts-check
/// <reference lib="dom" />
/** @import { RunData } from "../../report_data.ts" */

import { loadIndex, loadTest } from "../data.js";
import { element, factList, heading, link } from "../elements.js";
import { decodeSet } from "../set_codec.js";
import { filterBox, sortableTable } from "../table.js";
import { LineIndex } from "../test_lines.js";
import { address, count, percent, ranges } from "../text.js";

/** @typedef {import("../main.js").Page} Page */

/**
 * Two tests held against each other.
 *
 * @param {RunData} run
 * @param {number} a
 * @param {number} b
 * @returns {Promise<Page>}
 */
export async function comparePage(run, a, b) {
  const { tests } = run;
  const [dataA, dataB, index] = await Promise.all([
    loadTest(run, a),
    loadTest(run, b),
    loadIndex(),
  ]);
  const linesA = decodeSet(dataA.lines), linesB = decodeSet(dataB.lines);
  const { onlyA, onlyB, both } = split(linesA, linesB);
  const rows = functionRows(new LineIndex(run, index), onlyA, onlyB, both);
  const different = rows.filter((row) => row.onlyA.length > 0 || row.onlyB.length > 0);
  const table = sortableTable({
    label: "Functions that differ",
    rows: different,
    empty: rows.length === 0
      ? "Neither test hit a point of the image"
      : "Both tests ran the same lines",
    columns: [
      {
        label: "Function",
        head: true,
        key: (row) => row.name,
        cell: (row) => [
          link(
            address.file(row.path, { line: row.onlyA[0] ?? row.onlyB[0], test: a, with: b }),
            row.name,
          ),
          element("small", { class: "origin" }, row.path),
        ],
      },
      {
        label: "Only first",
        numeric: true,
        key: (row) => row.onlyA.length,
        cell: (row) => side("mine", row.onlyA, row.both === 0 && row.onlyB.length === 0),
      },
      { label: "Both", numeric: true, key: (row) => row.both, cell: (row) => count(row.both) },
      {
        label: "Only second",
        numeric: true,
        key: (row) => row.onlyB.length,
        cell: (row) => side("theirs", row.onlyB, row.both === 0 && row.onlyA.length === 0),
      },
    ],
  });
  const either = onlyA.length + onlyB.length + both.length;
  return {
    title: `${tests.name[a]} and ${tests.name[b]}`,
    parts: [
      element("h1", null, "Two tests compared"),
      element(
        "div",
        { class: "versus" },
        element(
          "div",
          { class: "mine" },
          element("small", null, "first"),
          link(address.test(a), tests.name[a]),
          link(`#/tests?with=${b}`, "change"),
        ),
        element(
          "div",
          { class: "theirs" },
          element("small", null, "second"),
          link(address.test(b), tests.name[b]),
          link(`#/tests?with=${a}`, "change"),
        ),
      ),
      proportions(onlyA.length, both.length, onlyB.length),
      factList([
        ["Lines only the first ran", count(onlyA.length)],
        ["Lines both ran", count(both.length)],
        ["Lines only the second ran", count(onlyB.length)],
        ["Lines in common", percent(both.length, either)],
      ]),
      heading("Functions that differ", `${count(different.length)} of ${count(rows.length)}`),
      element(
        "div",
        { class: "tools" },
        filterBox("Filter functions and files", (matches) => {
          table.show(different.filter(({ name, path }) => matches(`${name} ${path}`)));
        }),
        link(address.compare(b, a), "swap"),
      ),
      table.view,
    ],
  };
}

/**
 * @param {number} a
 * @param {number} both
 * @param {number} b
 */
function proportions(a, both, b) {
  return element(
    "div",
    { class: "proportions", "aria-hidden": "true" },
    element("span", { class: "mine", style: `flex-grow:${a}` }),
    element("span", { class: "both", style: `flex-grow:${both}` }),
    element("span", { class: "theirs", style: `flex-grow:${b}` }),
  );
}

/**
 * @param {string} kind
 * @param {readonly number[]} numbers
 * @param {boolean} alone Whether the other test did not enter the function.
 */
function side(kind, numbers, alone) {
  if (numbers.length === 0) return "";
  return [
    element("mark", { class: kind, title: ranges(numbers) }, count(numbers.length)),
    alone
      ? element("small", { class: "origin" }, "alone entered")
      : element("small", { class: "origin" }, ranges(numbers, 4)),
  ];
}

/**
 * @param {readonly number[]} a Ascending.
 * @param {readonly number[]} b Ascending.
 */
function split(a, b) {
  /** @type {number[]} */
  const onlyA = [];
  /** @type {number[]} */
  const onlyB = [];
  /** @type {number[]} */
  const both = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (j === b.length || a[i] < b[j]) onlyA.push(a[i++]);
    else if (i === a.length || b[j] < a[i]) onlyB.push(b[j++]);
    else {
      both.push(a[i++]);
      j++;
    }
  }
  return { onlyA, onlyB, both };
}

/**
 * @param {LineIndex} index
 * @param {readonly number[]} onlyA
 * @param {readonly number[]} onlyB
 * @param {readonly number[]} both
 */
function functionRows(index, onlyA, onlyB, both) {
  /** @type {Map<string, { path: string, name: string, onlyA: number[], onlyB: number[], both: number }>} */
  const rows = new Map();
  /** @param {import("../test_lines.js").FunctionLines} entry */
  function rowOf({ path, name }) {
    const key = `${path}/${name}`;
    let row = rows.get(key);
    if (row === undefined) rows.set(key, row = { path, name, onlyA: [], onlyB: [], both: 0 });
    return row;
  }
  for (const entry of index.functionsOf(onlyA)) rowOf(entry).onlyA = entry.numbers;
  for (const entry of index.functionsOf(onlyB)) rowOf(entry).onlyB = entry.numbers;
  for (const entry of index.functionsOf(both)) rowOf(entry).both = entry.numbers.length;
  return [...rows.values()].sort((x, y) =>
    y.onlyA.length + y.onlyB.length - x.onlyA.length - x.onlyB.length
  );
}
