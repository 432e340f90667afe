// @ts-check
/// <reference lib="dom" />
/** @import { RunData } from "../report_data.ts" */

import { callNames } from "./calls/call_names.js";
import { badge, element, link } from "./elements.js";
import { PASSED_TEXT } from "./line_states.js";
import { sortableTable } from "./table.js";
import { address, count, duration, plural } from "./text.js";

/** @typedef {import("./elements.js").Child} Child */

/**
 * @typedef {object} PanelContent
 * @property {string} title
 * @property {readonly Child[]} facts
 * @property {readonly string[] | undefined} calls Through which it was reached; `undefined` where that is known of no test.
 * @property {ReadonlyMap<number, number | undefined>} tests Each with the part of the whole that it ran.
 * @property {number} whole Points of a line, or lines of a function.
 * @property {string} unit `point` or `line`.
 * @property {(test: number) => string} showOnly Address that shows what one test ran.
 */

/**
 * The panel beside the source: who ran this. The most focused tests come first, those that ran the least in all.
 *
 * @param {RunData} run
 * @param {PanelContent} content
 * @param {() => void} onClose
 */
export function sourcePanel(run, content, onClose) {
  const { tests: all } = run;
  const { tests, whole, unit, title } = content;
  const rows = [...tests].map(([test, part]) => ({ test, part }))
    .sort((a, b) => all.points[a.test] - all.points[b.test] || a.test - b.test);
  const table = sortableTable({
    label: title,
    rows,
    empty: "No test",
    columns: [
      {
        label: "Test",
        head: true,
        key: ({ test }) => all.name[test],
        cell: ({ test }) => [
          link(address.test(test), all.name[test]),
          outcomeBadge(all.failed[test] === 1),
          all.kind[test] === "test" ? null : badge("plain", all.kind[test]),
        ],
      },
      {
        label: "Time",
        numeric: true,
        key: ({ test }) => all.milliseconds[test],
        cell: ({ test }) => duration(all.milliseconds[test]),
      },
      {
        label: unit === "point" ? "Points" : "Lines",
        numeric: true,
        key: ({ part }) => part ?? 0,
        cell: ({ part }) =>
          part === undefined
            ? element("span", { title: "The line has too many copies to keep shares" }, "–")
            : part === 0
            ? element("span", { title: PASSED_TEXT }, "passed")
            : `${count(part)} of ${count(whole)}`,
      },
      {
        label: "Only",
        numeric: true,
        cell: ({ test }) =>
          element("a", {
            href: content.showOnly(test),
            title: "Show only what this test ran",
            "aria-label": `Show only what ${all.name[test]} ran`,
          }, "show"),
      },
    ],
  });
  return element(
    "aside",
    { class: "panel", "aria-label": title, tabindex: "-1" },
    element(
      "header",
      null,
      element("h2", null, title),
      element("button", { type: "button", "aria-label": "Close", click: onClose }, "×"),
    ),
    element("div", { class: "panel-facts" }, ...content.facts),
    callNames(run, content.calls, tests.keys()),
    element(
      "p",
      { class: "panel-count" },
      tests.size === 0
        ? "No test ran it."
        : `${plural(tests.size, "test")}, the most focused first`,
    ),
    tests.size === 0 ? null : table.view,
  );
}

/** @param {boolean} failed */
export function outcomeBadge(failed) {
  return failed ? badge("failed", "failed") : badge("passed", "passed");
}
