// @ts-check
/// <reference lib="dom" />
/** @import { RunData } from "../../report_data.ts" */

import { loadIndex } from "../data.js";
import { bar, element, heading, link } from "../elements.js";
import { outcomeBadge } from "../source_panel.js";
import { matcher, sortableTable } from "../table.js";
import { LineIndex } from "../test_lines.js";
import { address, count, plural } from "../text.js";

/** @typedef {import("../main.js").Page} Page */

/**
 * Files, functions and tests whose names hold some words.
 *
 * @param {RunData} run
 * @param {string} wanted
 * @returns {Promise<Page>}
 */
export async function findPage(run, wanted) {
  const { files, tests } = run;
  // FILE:LINE, as compilers and stack traces write it, is a place.
  const [, name = wanted, line] = /^(.*?):(\d+)$/.exec(wanted) ?? [];
  const matches = matcher(name);
  const foundFiles = files.path.map((_, id) => id).filter((id) => matches(files.path[id]));
  const foundTests = tests.name.map((_, id) => id).filter((id) => matches(tests.name[id]));
  const index = await loadIndex();
  const lines = new LineIndex(run, index);
  const starts = lines.groupLine.filter((_, group) => matches(index.names[group]));
  const functions = lines.functionsOf(starts);
  return {
    title: `Find ${wanted}`,
    parts: [
      element("h1", null, "Found for ", element("q", null, wanted)),
      heading("Functions", plural(functions.length, "function")),
      sortableTable({
        label: "Functions",
        rows: functions,
        empty: "No function of the image matches",
        columns: [
          {
            label: "Function",
            head: true,
            key: (entry) => entry.name,
            cell: (entry) => link(address.file(entry.path, { line: entry.first }), entry.name),
          },
          {
            label: "File",
            key: (entry) => entry.path,
            cell: (entry) => `${entry.path}:${entry.first}`,
          },
        ],
      }).view,
      heading("Files", plural(foundFiles.length, "file")),
      sortableTable({
        label: "Files",
        rows: foundFiles,
        empty: "No file of the image matches",
        columns: [
          {
            label: "File",
            head: true,
            key: (id) => files.path[id],
            cell: (id) =>
              link(
                address.file(files.path[id], line ? { line: Number(line) } : {}),
                files.path[id],
              ),
          },
          { label: "Lines", numeric: true, cell: (id) => bar(files.linesHit[id], files.lines[id]) },
          {
            label: "Tests",
            numeric: true,
            key: (id) => files.tests[id],
            cell: (id) => count(files.tests[id]),
          },
        ],
      }).view,
      heading("Tests", plural(foundTests.length, "test")),
      sortableTable({
        label: "Tests",
        rows: foundTests,
        empty: "No test matches",
        columns: [
          {
            label: "Test",
            head: true,
            key: (id) => tests.name[id],
            cell: (
              id,
            ) => [link(address.test(id), tests.name[id]), outcomeBadge(tests.failed[id] === 1)],
          },
          {
            label: "Lines",
            numeric: true,
            key: (id) => tests.lines[id],
            cell: (id) => count(tests.lines[id]),
          },
        ],
      }).view,
    ],
  };
}
