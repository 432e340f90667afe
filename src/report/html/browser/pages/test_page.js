// @ts-check
/// <reference lib="dom" />
/** @import { RunData, TestData } from "../../report_data.ts" */

import { callsTable } from "../calls/calls_table.js";
import { pathTree } from "../chart_layout.js";
import { icicleView } from "../charts.js";
import { loadIndex, loadTest } from "../data.js";
import { badge, element, factList, fraction, heading, link } from "../elements.js";
import { decodeSet } from "../set_codec.js";
import { outcomeBadge } from "../source_panel.js";
import { filterBox, sortableTable } from "../table.js";
import { LineIndex } from "../test_lines.js";
import { address, count, duration, plural, ranges } from "../text.js";

/** @typedef {import("../main.js").Page} Page */
/** @typedef {import("../test_lines.js").FunctionLines} FunctionLines */

/**
 * What one test ran.
 *
 * @param {RunData} run
 * @param {number} test
 * @returns {Promise<Page>}
 */
export async function testPage(run, test) {
  const { tests } = run;
  const [data, index] = await Promise.all([loadTest(run, test), loadIndex()]);
  const lineIndex = new LineIndex(run, index);
  const lines = decodeSet(data.lines);
  const functions = lineIndex.functionsOf(lines);
  const own = lineIndex.functionsOf(decodeSet(data.own));
  const reached = element("div", null, ...reachedPart(functions, test));
  return {
    title: tests.name[test],
    parts: [
      element(
        "p",
        { class: "over" },
        link("#/tests", "Tests"),
        " / ",
        tests.testFiles[tests.file[test]],
      ),
      element(
        "h1",
        null,
        tests.name[test],
        " ",
        outcomeBadge(tests.failed[test] === 1),
        tests.kind[test] === "test" ? null : badge("plain", tests.kind[test]),
        tests.doubts[test] === "" ? null : badge("warn", tests.doubts[test]),
      ),
      factList([
        ["Time", duration(tests.milliseconds[test])],
        ["Functions", count(tests.functions[test])],
        ["Lines", count(tests.lines[test])],
        ["Points", count(tests.points[test])],
        ["Lines no other test ran", count(tests.ownLines[test])],
        ["Points no other test hit", count(data.ownPoints)],
      ]),
      repeatsPart(data, test),
      element("p", null, link(`#/tests?with=${test}`, "Compare with another test…")),
      ...data.calls === undefined ? [] : callsTable(data.calls, lines, (chosen) => {
        reached.replaceChildren(
          ...chosen === undefined
            ? reachedPart(functions, test)
            : reachedPart(lineIndex.functionsOf(chosen.lines), test, chosen.what),
        );
      }),
      data.leftOut === undefined ? null : element("p", { class: "left-out" }, data.leftOut),
      reached,
      ...ownPart(own, test),
      ...similarPart(run, data, test),
    ],
  };
}

/**
 * @param {TestData} data
 * @param {number} test
 */
function repeatsPart({ repeats }, test) {
  if (repeats === undefined) return null;
  return element(
    "p",
    { class: "banner" },
    `Run ${count(repeats.tests.indexOf(test) + 1)} of ${
      count(repeats.tests.length)
    } of this test. ` +
      `${plural(repeats.steady, "point")} hit by every run, ${
        count(repeats.flaky)
      } by some only. Other runs: `,
    ...repeats.tests.flatMap((other, i) =>
      other === test ? [] : [link(address.compare(test, other), `compare with ${i + 1}`), " "]
    ),
  );
}

/**
 * @param {readonly FunctionLines[]} functions
 * @param {number} test
 * @param {string} [what] What of the test they are of; all where absent.
 */
function reachedPart(functions, test, what) {
  if (functions.length === 0) {
    return [element("p", { class: "empty" }, "The test hit no point of the image.")];
  }
  const byKey = new Map(functions.map((entry) => [`${entry.path}/${entry.name}`, entry]));
  const tree = pathTree(
    [...byKey].map(([path, { numbers }]) => ({ path, value: numbers.length, hit: 0 })),
  );
  const chart = icicleView(tree, ({ path }) => {
    const entry = byKey.get(path);
    return entry === undefined ? "#/" : placeOf(entry, test);
  });
  const table = functionTable("Functions reached", functions, test, [
    {
      label: "Lines run",
      numeric: true,
      key: ({ numbers }) => numbers.length,
      cell: ({ numbers, all }) => fraction(numbers.length, all),
    },
    {
      label: "Tests",
      class: "number",
      key: ({ tests }) => tests ?? Infinity,
      cell: ({ tests }) =>
        tests === undefined
          ? element("span", { title: "Not counted outside functions" }, "–")
          : count(tests),
    },
  ], false);
  return [
    heading(
      what === undefined ? "Functions reached" : `Functions reached: ${what}`,
      "the table begins with those that the fewest tests reach; width is lines run; folders open, functions lead to their source",
    ),
    chart,
    element(
      "div",
      { class: "tools" },
      filterBox("Filter functions and files", (matches) => {
        table.show(functions.filter(({ path, name }) => matches(`${name} ${path}`)));
      }),
    ),
    table.view,
  ];
}

/**
 * @param {readonly FunctionLines[]} own
 * @param {number} test
 */
function ownPart(own, test) {
  const lines = own.reduce((sum, { numbers }) => sum + numbers.length, 0);
  return [
    heading("Lines that only this test ran", plural(lines, "line")),
    lines === 0
      ? element("p", { class: "empty" }, "None: other tests ran every line of it.")
      : functionTable("Lines that only this test ran", own, test, [
        { label: "Lines", cell: ({ numbers }) => ranges(numbers, 12), class: "ranges" },
        {
          label: "Count",
          numeric: true,
          key: ({ numbers }) => numbers.length,
          cell: ({ numbers }) => count(numbers.length),
        },
      ]).view,
  ];
}

/**
 * @param {RunData} run
 * @param {TestData} data
 * @param {number} test
 */
function similarPart({ tests }, { similar }, test) {
  return [
    heading("Most similar tests", "share of points that both hit of those that either hit"),
    sortableTable({
      label: "Most similar tests",
      rows: similar,
      empty: "No other test has a point in common",
      columns: [
        {
          label: "Test",
          head: true,
          cell: ([other]) => link(address.test(other), tests.name[other]),
        },
        {
          label: "In common",
          numeric: true,
          key: ([, share]) => share,
          cell: ([, share]) => `${(share / 10).toFixed(1)} %`,
        },
        {
          label: "Compare",
          cell: ([other]) =>
            element("a", {
              href: address.compare(test, other),
              "aria-label": `Compare with ${tests.name[other]}`,
            }, "compare"),
        },
      ],
    }).view,
  ];
}

/**
 * @param {string} label
 * @param {readonly FunctionLines[]} rows
 * @param {number} test
 * @param {readonly import("../table.js").Column<FunctionLines>[]} columns The rows are in the order of the last one.
 * @param {boolean} [descending]
 */
function functionTable(label, rows, test, columns, descending = true) {
  return sortableTable({
    sortBy: 1 + columns.length,
    descending,
    label,
    rows,
    empty: "No function matches",
    columns: [
      {
        label: "Function",
        head: true,
        key: ({ name }) => name,
        cell: (entry) => link(placeOf(entry, test), entry.name),
      },
      { label: "File", key: ({ path }) => path, cell: ({ path }) => path, class: "optional" },
      ...columns,
    ],
  });
}

/**
 * @param {FunctionLines} entry
 * @param {number} test
 */
function placeOf({ path, numbers }, test) {
  return address.file(path, { line: numbers[0], test });
}
