// @ts-check
/// <reference lib="dom" />
/** @import { FileData } from "../../report_data.ts" */

import { badge, element } from "../elements.js";
import { sortableTable } from "../table.js";
import { count, plural } from "../text.js";

/**
 * What tests compared in a file, in a list that opens.
 *
 * @param {FileData} data
 * @param {(line: number) => void} onLine
 */
export function comparedList({ compared }, onLine) {
  if (compared === undefined || compared.length === 0) return null;
  const never = compared.filter((row) => row.never).length;
  const details = element(
    "details",
    { class: "functions compared" },
    element(
      "summary",
      null,
      `Comparisons: ${count(compared.length)}, of which ${count(never)} were never satisfied`,
    ),
  );
  // Drawn when it is opened: most readers come for the source.
  details.addEventListener("toggle", () => {
    const table = sortableTable({
      label: "Comparisons",
      rows: compared.map((row) => row),
      columns: [
        {
          label: "Line",
          numeric: true,
          key: (row) => row.line,
          cell: (row) =>
            element("button", {
              type: "button",
              class: "linkish",
              click: () => onLine(row.line),
            }, count(row.line)),
        },
        { label: "Compared", head: true, key: (row) => row.text, cell: (row) => row.text },
        {
          label: "Satisfied",
          key: (row) => row.never ? 0 : 1,
          cell: (row) => row.never ? badge("failed", "never") : badge("passed", "yes"),
        },
      ],
    });
    details.append(table.view);
  }, { once: true });
  return details;
}

/**
 * What tests compared at a line.
 *
 * @param {FileData} data
 * @param {number} line
 */
export function comparedOfLine({ compared }, line) {
  const rows = (compared ?? []).filter((row) => row.line === line);
  if (rows.length === 0) return null;
  return element(
    "details",
    { class: "call-names compared", open: "" },
    element("summary", null, plural(rows.length, "comparison")),
    element("ul", null, ...rows.map(({ text }) => element("li", null, text))),
  );
}
