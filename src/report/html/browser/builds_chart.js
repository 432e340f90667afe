// @ts-check
/// <reference lib="dom" />
/** @import { BuildTotals } from "../report_data.ts" */

import { element, heading } from "./elements.js";
import { count, percent, plural } from "./text.js";

/**
 * A column for each build, oldest first: its height is the share of lines that tests run, in terms of the largest.
 *
 * @param {readonly BuildTotals[]} builds
 */
export function buildsChart(builds) {
  const most = Math.max(...builds.map(({ lines }) => lines.hit / Math.max(lines.all, 1)));
  return element(
    "section",
    { class: "builds" },
    heading("Builds", "lines that tests run, oldest first"),
    element(
      "ol",
      null,
      ...builds.map(({ name, buildId, tests, functions, lines }) => {
        const share = most === 0 ? 0 : 100 * lines.hit / Math.max(lines.all, 1) / most;
        const facts = [
          `${count(lines.hit)} of ${plural(lines.all, "line")}`,
          `${count(functions.hit)} of ${plural(functions.all, "function")}`,
          plural(tests, "test"),
        ];
        return element(
          "li",
          { title: `${name}, build id ${buildId}: ${facts.join(", ")}` },
          element("span", { class: "column", style: `height:${share.toFixed(1)}%` }),
          element("b", null, percent(lines.hit, lines.all)),
          element("small", null, `${count(lines.hit)} / ${count(lines.all)}`),
          element("small", null, name),
        );
      }),
    ),
  );
}
