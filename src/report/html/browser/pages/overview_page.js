// @ts-check
/// <reference lib="dom" />
/** @import { RunData, Share } from "../../report_data.ts" */

import { pathTree } from "../chart_layout.js";
import { treemapView } from "../charts.js";
import { bar, breadcrumbs, element, factList, fraction, heading, link } from "../elements.js";
import { buildsChart } from "../builds_chart.js";
import { filterBox, shownOf, sortableTable } from "../table.js";
import { address, count, percent, plural } from "../text.js";

/**
 * A folder or file of the table.
 *
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} href
 * @property {boolean} directory
 * @property {number} lines
 * @property {number} linesHit
 * @property {number} functions
 * @property {number} functionsHit
 * @property {number} tests
 */

/**
 * The first page: the whole run.
 *
 * @param {RunData} run
 */
export function overviewPage(run) {
  return [
    element("h1", null, run.title),
    summary(run),
    run.builds === undefined ? null : buildsChart(run.builds),
    ...directoryParts(run, ""),
  ];
}

/**
 * A folder's page.
 *
 * @param {RunData} run
 * @param {string} path
 */
export function directoryPage(run, path) {
  return [
    element("h1", { class: "path" }, breadcrumbs(path, address.directory)),
    folderFacts(run, path),
    ...directoryParts(run, path),
  ];
}

/**
 * The sums of a folder, as the row of its parent's table has them.
 *
 * @param {RunData} run
 * @param {string} path
 */
function folderFacts({ files, directories }, path) {
  const folder = directories.path.indexOf(path);
  if (folder < 0) return null;
  const sum = { files: 0, lines: 0, linesHit: 0, functions: 0, functionsHit: 0 };
  files.path.forEach((file, id) => {
    if (!file.startsWith(`${path}/`)) return;
    sum.files++;
    sum.lines += files.lines[id];
    sum.linesHit += files.linesHit[id];
    sum.functions += files.functions[id];
    sum.functionsHit += files.functionsHit[id];
  });
  return element(
    "div",
    { class: "file-facts" },
    element(
      "span",
      null,
      "Lines ",
      bar(sum.linesHit, sum.lines),
      fraction(sum.linesHit, sum.lines),
    ),
    element("span", null, "Functions ", fraction(sum.functionsHit, sum.functions)),
    element("span", null, "Files ", count(sum.files)),
    element("span", null, "Tests ", count(directories.tests[folder])),
  );
}

/** @param {RunData} run */
function summary(run) {
  const { tests } = run;
  const failed = tests.failed.reduce((sum, one) => sum + one, 0);
  const kinds = tests.kind.filter((kind) => kind !== "test").length;
  const all = tests.name.length;
  return element(
    "section",
    { class: "summary", "aria-label": "Summary" },
    meter("Lines", run.lines, "lines with coverage points", `${count(run.partialLines)} in part`),
    meter("Functions", run.functions, "functions with coverage points"),
    meter("Points", run.points, "coverage points in the image"),
    element(
      "div",
      { class: "card" },
      element("h2", null, kinds === 0 ? "Tests" : "Records"),
      element("p", { class: "figure" }, link("#/tests", count(all))),
      element(
        "p",
        null,
        failed === 0
          ? element("span", { class: "good" }, "none failed")
          : element("span", { class: "bad" }, `${count(failed)} failed`),
        kinds === 0 ? null : `, ${count(kinds)} not of a test`,
      ),
    ),
    element(
      "div",
      { class: "card wide" },
      factList([
        ["Kernel", run.release || "unknown"],
        ["Machine", run.machine],
        ["Build id", element("code", { title: run.buildId }, run.buildId)],
      ]),
    ),
    run.notes.length === 0 ? null : element(
      "details",
      { class: "card wide notes" },
      element(
        "summary",
        null,
        `What these numbers leave out: ${
          plural(run.notes.filter((note) => !note.startsWith("  ")).length, "thing")
        }`,
      ),
      element(
        "ul",
        null,
        ...run.notes.map((note) =>
          element("li", { class: note.startsWith("  ") ? "sub" : null }, note.trim())
        ),
      ),
    ),
  );
}

/**
 * @param {string} name
 * @param {Share} share
 * @param {string} denominator
 * @param {string} [more]
 */
function meter(name, share, denominator, more) {
  return element(
    "div",
    { class: "card" },
    element("h2", null, name),
    element("p", { class: "figure" }, percent(share.hit, share.all)),
    element(
      "span",
      { class: "bar", "aria-hidden": "true" },
      element("span", { style: `width:${share.all === 0 ? 0 : 100 * share.hit / share.all}%` }),
    ),
    element(
      "p",
      null,
      `${count(share.hit)} of ${count(share.all)} ${denominator}`,
      more ? `; ${more}` : null,
    ),
  );
}

/**
 * @param {RunData} run
 * @param {string} path
 */
function directoryParts(run, path) {
  const { files } = run;
  const prefix = path === "" ? "" : `${path}/`;
  /** @type {number[]} */
  const below = [];
  files.path.forEach((file, id) => {
    if (file.startsWith(prefix)) below.push(id);
  });
  if (below.length === 0) {
    return [element("p", { class: "empty" }, "No file of the image in this folder has points.")];
  }
  const isFile = new Set(files.path);
  const tree = pathTree(
    below.map((id) => ({
      path: files.path[id].slice(prefix.length),
      value: files.lines[id],
      hit: files.linesHit[id],
    })),
  );
  const chart = tree.children.length > 1
    ? treemapView(
      tree,
      (node) =>
        isFile.has(prefix + node.path)
          ? address.file(prefix + node.path)
          : address.directory(prefix + node.path),
    )
    : null;
  return [chart && chartLegend(), chart, ...entryTable(run, prefix, below)];
}

function chartLegend() {
  return element(
    "p",
    { class: "legend" },
    "Area: lines with points. Colour: share that was hit ",
    element("span", { class: "tile key" }, "0 %"),
    element("span", { class: "scale", "aria-hidden": "true" }),
    " 100 %",
  );
}

/**
 * @param {RunData} run
 * @param {string} prefix
 * @param {readonly number[]} below Files under the folder.
 */
function entryTable(run, prefix, below) {
  const children = childEntries(run, prefix, below);
  const flat = below.map((id) => fileEntry(run, id, prefix));
  let matches = /** @type {(text: string) => boolean} */ (() => true);
  let searching = false;
  const table = sortableTable({
    label: "Folders and files",
    columns: [
      {
        label: "Name",
        head: true,
        key: (row) => row.name,
        cell: (row) => link(row.href, row.directory ? `${row.name}/` : row.name),
      },
      {
        label: "Lines",
        key: (row) => row.lines === 0 ? 0 : row.linesHit / row.lines,
        numeric: true,
        cell: (row) => bar(row.linesHit, row.lines),
      },
      {
        label: "hit / all",
        key: (row) => row.lines,
        numeric: true,
        class: "optional",
        cell: (row) => fraction(row.linesHit, row.lines),
      },
      {
        label: "Missed",
        key: (row) => row.lines - row.linesHit,
        numeric: true,
        cell: (row) => count(row.lines - row.linesHit),
      },
      {
        label: "Functions",
        key: (row) => row.functions === 0 ? 0 : row.functionsHit / row.functions,
        numeric: true,
        class: "optional",
        cell: (row) => [
          element("span", { class: "percent" }, percent(row.functionsHit, row.functions)),
          fraction(row.functionsHit, row.functions),
        ],
      },
      { label: "Tests", key: (row) => row.tests, numeric: true, cell: (row) => count(row.tests) },
    ],
    rows: /** @type {Entry[]} */ ([]),
    sortBy: 0,
    empty: "No folder or file matches",
  });
  const shown = element("span", { class: "shown", role: "status" });
  const hideNone = toggle("Hide 0 %", update);
  const hideAll = toggle("Hide 100 %", update);
  const everyFile = toggle("All files below", update);

  function update() {
    const rows = everyFile.pressed() || searching ? flat : children;
    const kept = rows.filter((row) =>
      matches(prefix + row.name) && !(hideNone.pressed() && row.linesHit === 0) &&
      !(hideAll.pressed() && row.linesHit === row.lines)
    );
    shown.textContent = shownOf(kept.length, rows.length, "row");
    table.show(kept);
  }
  update();
  return [
    heading("Folders and files"),
    element(
      "div",
      { class: "tools" },
      filterBox("Filter files by path", (next, text) => {
        matches = next;
        searching = text.trim() !== "";
        update();
      }),
      hideNone.view,
      hideAll.view,
      everyFile.view,
      shown,
    ),
    table.view,
  ];
}

/**
 * @param {string} label
 * @param {() => void} onChange
 */
function toggle(label, onChange) {
  const view = element("button", {
    type: "button",
    class: "toggle",
    "aria-pressed": "false",
    click: () => {
      view.setAttribute("aria-pressed", String(view.getAttribute("aria-pressed") !== "true"));
      onChange();
    },
  }, label);
  return { view, pressed: () => view.getAttribute("aria-pressed") === "true" };
}

/**
 * @param {RunData} run
 * @param {number} id
 * @param {string} prefix
 * @returns {Entry}
 */
function fileEntry({ files }, id, prefix) {
  return {
    name: files.path[id].slice(prefix.length),
    href: address.file(files.path[id]),
    directory: false,
    lines: files.lines[id],
    linesHit: files.linesHit[id],
    functions: files.functions[id],
    functionsHit: files.functionsHit[id],
    tests: files.tests[id],
  };
}

/**
 * @param {RunData} run
 * @param {string} prefix
 * @param {readonly number[]} below
 * @returns {Entry[]}
 */
function childEntries(run, prefix, below) {
  const testsOf = new Map(
    run.directories.path.map((path, id) => [path, run.directories.tests[id]]),
  );
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  for (const id of below) {
    const entry = fileEntry(run, id, prefix);
    const slash = entry.name.indexOf("/");
    if (slash < 0) {
      entries.set(entry.name, entry);
      continue;
    }
    const name = entry.name.slice(0, slash);
    const known = entries.get(`${name}/`);
    if (known === undefined) {
      const path = prefix + name;
      entries.set(`${name}/`, {
        ...entry,
        name,
        href: address.directory(path),
        directory: true,
        tests: testsOf.get(path) ?? 0,
      });
    } else {
      known.lines += entry.lines;
      known.linesHit += entry.linesHit;
      known.functions += entry.functions;
      known.functionsHit += entry.functionsHit;
    }
  }
  return [...entries.values()];
}
