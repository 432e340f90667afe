// @ts-check
/// <reference lib="dom" />
/** @import { PatchData, PatchFile, PatchHunk, RunData } from "../../report_data.ts" */

import { loadPatch } from "../data.js";
import { badge, element, heading, link } from "../elements.js";
import { outcomeBadge } from "../source_panel.js";
import { sortableTable } from "../table.js";
import { address, count, duration, plural, ranges } from "../text.js";

/** @typedef {import("../main.js").Page} Page */

/** @type {Readonly<Record<string, readonly [string, string]>>} Text and class of each state of a hunk. */
const STATES = {
  covered: ["covered", "passed"],
  uncovered: ["uncovered", "failed"],
  "no-code": ["not instrumented", "plain"],
  "not-built": ["not built", "plain"],
  "no-effect": ["no effect", "plain"],
  "run-all": ["run all tests", "warn"],
};
/** Tests that a hunk names at once. */
const HUNK_TESTS = 8;

/**
 * What a patch needs.
 *
 * @param {RunData} run
 * @returns {Promise<Page>}
 */
export async function patchPage(run) {
  if (!run.hasPatch) {
    return {
      title: "Patch",
      parts: [
        element("h1", null, "Patch"),
        element("p", { class: "empty" }, "This report was made without a patch."),
      ],
    };
  }
  const patch = await loadPatch();
  return {
    title: "Patch",
    parts: [
      element("h1", null, "What the patch needs"),
      tally(patch),
      patch.runAll.length === 0 ? null : element(
        "div",
        { class: "banner warn" },
        element("b", null, "Run all tests: "),
        "what this changes cannot be told from coverage.",
        element(
          "ul",
          null,
          ...patch.runAll.map(({ path, reason }) =>
            element("li", null, element("code", null, path), `: ${reason}`)
          ),
        ),
      ),
      ...rankedTests(run, patch),
      incomplete(run, patch),
      ...patch.files.map((file) => filePart(run, file)),
    ],
  };
}

/** @param {PatchData} patch */
function tally({ files }) {
  const states = files.flatMap(({ hunks }) => hunks.map(({ state }) => state));
  return element(
    "p",
    { class: "tally" },
    `${plural(states.length, "hunk")} in ${plural(files.length, "file")}: `,
    ...Object.entries(STATES).flatMap(([state, [text, kind]]) => {
      const found = states.filter((one) => one === state).length;
      return found === 0 ? [] : [badge(kind, `${count(found)} ${text}`), " "];
    }),
  );
}

/**
 * @param {RunData} run
 * @param {PatchData} patch
 */
function rankedTests({ tests }, patch) {
  return [
    heading("Tests to run, the best first", plural(patch.tests.length, "test")),
    patch.tests.length === 0 ? null : element(
      "p",
      { class: "legend" },
      "Score: for each changed line that a test runs, 1 divided by the number of lines of the change and by the number " +
        "of tests that run the line; half of that for lines around a change without lines of its own, a fifth for " +
        "entering the function only, a twentieth for reaching the file only. A high score is a test that few others " +
        "can stand in for.",
    ),
    sortableTable({
      label: "Tests to run",
      rows: patch.tests,
      empty: "No test touches the changed code",
      columns: [
        {
          label: "Test",
          head: true,
          cell: (
            { test },
          ) => [link(address.test(test), tests.name[test]), outcomeBadge(tests.failed[test] === 1)],
        },
        {
          label: "Score",
          numeric: true,
          key: ({ score }) => score,
          cell: ({ score }) => score.toFixed(3),
        },
        {
          label: "Time",
          numeric: true,
          class: "optional",
          key: ({ test }) => tests.milliseconds[test],
          cell: ({ test }) => duration(tests.milliseconds[test]),
        },
        {
          label: "Why",
          class: "why",
          cell: ({ reasons }) =>
            reasons.map((reason) => element("span", { class: "reason" }, reason)),
        },
      ],
    }).view,
  ];
}

/**
 * @param {RunData} run
 * @param {PatchData} patch
 */
function incomplete({ tests }, { incomplete: list }) {
  if (list.length === 0) return null;
  return element(
    "details",
    { class: "banner" },
    element(
      "summary",
      null,
      `${
        plural(list.length, "test")
      } cannot be ruled out: failed or truncated, so the coverage is not whole`,
    ),
    element(
      "ul",
      null,
      ...list.slice(0, 200).map((test) =>
        element("li", null, link(address.test(test), tests.name[test]))
      ),
    ),
  );
}

/**
 * @param {RunData} run
 * @param {PatchFile} file
 */
function filePart(run, file) {
  const path = file.file < 0 ? undefined : run.files.path[file.file];
  return element(
    "section",
    { class: "patch-file" },
    element("h2", null, path === undefined ? file.path : link(address.file(path), file.path)),
    ...file.hunks.map((hunk) => hunkPart(run, hunk, path)),
  );
}

/**
 * @param {RunData} run
 * @param {PatchHunk} hunk
 * @param {string | undefined} path
 */
function hunkPart({ tests }, hunk, path) {
  const [text, kind] = STATES[hunk.state] ?? [hunk.state, "plain"];
  return element(
    "article",
    { class: "hunk" },
    element(
      "header",
      null,
      badge(kind, text),
      element(
        "b",
        null,
        hunk.functions.join(", ") || hunk.heading ||
          (hunk.line > 0 ? `line ${hunk.line}` : "whole file"),
      ),
      element("span", { class: "reason" }, hunk.reason),
      hunk.uncovered.length === 0
        ? null
        : element("span", { class: "bad" }, `uncovered: ${ranges(hunk.uncovered)}`),
    ),
    hunk.rows.length === 0 ? null : element(
      "div",
      { class: "diff", role: "group", "aria-label": "Changed lines", tabindex: "0" },
      ...hunk.rows.map(([mark, code, number, ran]) =>
        element(
          "div",
          { class: `row ${mark === "+" ? "added" : mark === "-" ? "removed" : "same"}` },
          element(
            "span",
            { class: "no" },
            number === 0 ? "" : path === undefined ? String(number) : element(
              "a",
              { href: address.file(path, { line: number }), tabindex: "-1" },
              String(number),
            ),
          ),
          element(
            "span",
            {
              class: `tests ${ran < 0 ? "blank" : ran === 0 ? "none" : "all"}`,
              title: ran < 0 ? "no point" : plural(ran, "test"),
            },
            ran < 0 ? "" : count(ran),
          ),
          element("code", null, `${mark}${code}`),
        )
      ),
    ),
    hunk.tests.length === 0 ? null : element(
      "footer",
      null,
      `${plural(hunk.tests.length, "test")}: `,
      ...hunk.tests.slice(0, HUNK_TESTS).flatMap((test, i) => [
        i === 0 ? null : ", ",
        link(address.test(test), tests.name[test]),
      ]),
      hunk.tests.length > HUNK_TESTS ? ` and ${count(hunk.tests.length - HUNK_TESTS)} more` : null,
    ),
  );
}
