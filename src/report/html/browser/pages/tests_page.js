// @ts-check
/// <reference lib="dom" />
/** @import { RunData } from "../../report_data.ts" */

import { badge, element, link } from "../elements.js";
import { outcomeBadge } from "../source_panel.js";
import { filterBox, shownOf, sortableTable } from "../table.js";
import { address, count, duration } from "../text.js";

/** @typedef {import("../main.js").Page} Page */

/**
 * The table of tests; with a test given, every other one can be compared with it.
 *
 * @param {RunData} run
 * @param {number | undefined} first
 * @returns {Page}
 */
export function testsPage(run, first) {
  const { tests } = run;
  const all = tests.name.map((_, test) => test);
  const table = sortableTable({
    label: "Tests",
    rows: all,
    empty: "No test matches",
    columns: [
      {
        label: "Test",
        head: true,
        key: (test) => tests.name[test],
        cell: (test) => [
          link(address.test(test), tests.name[test]),
          tests.kind[test] === "test" ? null : badge("plain", tests.kind[test]),
          tests.testFiles[tests.file[test]] === ""
            ? null
            : element("small", { class: "origin" }, tests.testFiles[tests.file[test]]),
        ],
      },
      {
        label: "Outcome",
        key: (test) => -tests.failed[test],
        cell: (test) => outcomeBadge(tests.failed[test] === 1),
      },
      numeric("Time", tests.milliseconds, duration, "optional"),
      numeric("Functions", tests.functions, count, "optional"),
      numeric("Lines", tests.lines),
      numeric("Points", tests.points, count, "optional"),
      numeric("Own lines", tests.ownLines),
      {
        label: "Notes",
        class: "optional notes",
        key: (test) => tests.doubts[test],
        cell: (test) => tests.doubts[test] === "" ? null : badge("warn", tests.doubts[test]),
      },
      {
        label: "Compare",
        class: "optional",
        cell: (test) =>
          first === undefined
            ? element("a", {
              href: `#/tests?with=${test}`,
              "aria-label": `Compare ${tests.name[test]} with another`,
            }, "with…")
            : test === first
            ? "chosen"
            : element("a", {
              href: address.compare(first, test),
              "aria-label": `Compare with ${tests.name[test]}`,
            }, "compare"),
      },
    ],
  });
  const shown = element(
    "span",
    { class: "shown", role: "status" },
    shownOf(all.length, all.length, "row"),
  );
  return {
    title: "Tests",
    parts: [
      element("h1", null, "Tests"),
      first === undefined ? null : element(
        "p",
        { class: "banner" },
        "Choose a test to compare with ",
        link(address.test(first), tests.name[first]),
        ". ",
        link("#/tests", "Stop choosing"),
      ),
      element(
        "div",
        { class: "tools" },
        filterBox("Filter by name, file, outcome or note", (matches) => {
          const kept = all.filter((test) =>
            matches(
              `${tests.name[test]} ${tests.testFiles[tests.file[test]]} ${
                tests.failed[test] === 1 ? "failed" : "passed"
              } ${tests.kind[test]} ${tests.doubts[test]}`,
            )
          );
          table.show(kept);
          shown.textContent = shownOf(kept.length, all.length, "row");
        }),
        shown,
      ),
      table.view,
    ],
  };
}

/**
 * @param {string} label
 * @param {readonly number[]} column
 * @param {(value: number) => string} format
 * @param {string} [className]
 */
function numeric(label, column, format = count, className) {
  return {
    label,
    numeric: true,
    class: className,
    key: (/** @type {number} */ test) => column[test],
    cell: (/** @type {number} */ test) => format(column[test]),
  };
}
