// @ts-check
/// <reference lib="dom" />
/** @import { RunData } from "../report_data.ts" */

import { comparePage } from "./pages/compare_page.js";
import { put, whenRunIsLoaded } from "./data.js";
import { announce, element, link } from "./elements.js";
import { findPage } from "./pages/find_page.js";
import { directoryPage, overviewPage } from "./pages/overview_page.js";
import { patchPage } from "./pages/patch_page.js";
import { sourcePage } from "./pages/source_page.js";
import { testPage } from "./pages/test_page.js";
import { testsPage } from "./pages/tests_page.js";

/**
 * @typedef {object} Page
 * @property {string} title
 * @property {readonly import("./elements.js").Child[]} parts
 * @property {Readonly<Record<string, () => void>>} [keys]
 * @property {() => void} [shown] Called when the page stands in the document.
 */

const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
const KEYS = [
  ["/", "find a file, function or test; FILE:LINE goes to a place"],
  ["n p", "next and previous uncovered lines of a source page, or lines of the test that is shown"],
  ["↑ ↓", "the lines with points, where one has the focus"],
  ["Enter", "the tests of the line that has the focus"],
  ["Esc", "close the tests"],
  ["o t", "overview, tests"],
  ["d", "dark, light or as the system"],
  ["?", "this list"],
];

/** @type {Readonly<Record<string, () => void>>} */
let pageKeys = {};
/** Counts the pages asked for: one that arrives after the next was asked for is dropped. */
let asked = 0;

/**
 * @param {RunData} run
 * @param {string} hash
 * @returns {Page | Promise<Page>}
 */
function pageOf(run, hash) {
  const [place, query = ""] = hash.replace(/^#?\/?/, "").split("?");
  const [kind, ...rest] = place.split("/").map(decode);
  const path = rest.join("/");
  const parameters = Object.fromEntries(
    query.split("&").map((pair) => pair.split("=")).filter(([, value]) => /^\d+$/.test(value))
      .map(([key, value]) => [key, Number(value)]),
  );
  const tests = run.tests.name.length;
  if (parameters.test >= tests) delete parameters.test;
  if (parameters.with >= tests) delete parameters.with;
  switch (kind) {
    case "":
      return { title: run.title, parts: overviewPage(run) };
    case "dir":
      return { title: path, parts: directoryPage(run, path) };
    case "file":
      return sourcePage(run, path, parameters);
    case "tests":
      return testsPage(run, parameters.with);
    case "test":
      if (Number(path) < tests) return testPage(run, Number(path));
      break;
    case "compare":
      if (rest.length === 2 && rest.every((test) => Number(test) < tests)) {
        return comparePage(run, Number(rest[0]), Number(rest[1]));
      }
      break;
    case "patch":
      return patchPage(run);
    case "find":
      return findPage(run, path);
  }
  return {
    title: "Not found",
    parts: [
      element("h1", null, "There is no such page"),
      element("p", null, link("#/", "To the overview")),
    ],
  };
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {RunData} run */
async function show(run) {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  const ticket = ++asked;
  main.setAttribute("aria-busy", "true");
  pageKeys = {};
  /** @type {Page} */
  let page;
  try {
    page = await pageOf(run, location.hash);
  } catch (error) {
    page = {
      title: "Cannot show the page",
      parts: [
        element("h1", null, "Cannot show the page"),
        element(
          "p",
          { class: "banner warn" },
          error instanceof TypeError ? error.message : String(error),
        ),
      ],
    };
  }
  if (ticket !== asked) return;
  document.title = page.title === run.title ? run.title : `${page.title} · ${run.title}`;
  main.replaceChildren(
    .../** @type {Node[]} */ (page.parts.filter((part) => part instanceof Node)),
  );
  pageKeys = page.keys ?? {};
  scrollTo(0, 0);
  page.shown?.();
  for (const item of document.querySelectorAll("#top nav a")) {
    const here = item.getAttribute("href") === `#/${location.hash.split(/[/?]/)[1] ?? ""}`;
    if (here) item.setAttribute("aria-current", "page");
    else item.removeAttribute("aria-current");
  }
  main.removeAttribute("aria-busy");
  announce(page.title);
  // Readers of the screen start at the new page, unless it put the focus on one of its lines.
  if (ticket > 1 && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

/** @param {RunData} run */
function header(run) {
  const find = element("input", {
    type: "search",
    id: "find",
    placeholder: "Find a file, function or test",
    "aria-label": "Find a file, function or test",
    autocomplete: "off",
    spellcheck: "false",
  });
  const help = helpDialog();
  const theme = element("button", { type: "button", click: () => turnTheme(theme) });
  setTheme(theme, savedTheme());
  document.getElementById("top")?.append(
    element("a", { class: "brand", href: "#/" }, "kernelcov"),
    element(
      "nav",
      { "aria-label": "Pages" },
      link("#/", "Overview"),
      link("#/tests", "Tests"),
      run.hasPatch ? link("#/patch", "Patch") : null,
    ),
    element("form", {
      role: "search",
      submit: (/** @type {Event} */ event) => {
        event.preventDefault();
        const wanted = find.value.trim();
        if (wanted !== "") location.hash = `#/find/${encodeURIComponent(wanted)}`;
      },
    }, find),
    theme,
    element("button", { type: "button", "aria-label": "Keys", click: () => help.showModal() }, "?"),
    help,
  );
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (target.matches("input, textarea, select")) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (target).blur();
      return;
    }
    const action = pageKeys[event.key] ?? {
      "/": () => find.focus(),
      "?": () => help.showModal(),
      o: () => location.hash = "#/",
      t: () => location.hash = "#/tests",
      d: () => turnTheme(theme),
    }[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function helpDialog() {
  const dialog = element(
    "dialog",
    { "aria-label": "Keys" },
    element("h2", null, "Keys"),
    element(
      "dl",
      { class: "keys" },
      ...KEYS.flatMap(([keys, text]) => [
        element("dt", null, ...keys.split(" ").map((key) => element("kbd", null, key))),
        element("dd", null, text),
      ]),
    ),
    element("form", { method: "dialog" }, element("button", null, "Close")),
  );
  return dialog;
}

/** @returns {string} */
function savedTheme() {
  // A page opened from a file may be refused storage.
  try {
    return localStorage.getItem("kernelcov-theme") ?? "auto";
  } catch {
    return "auto";
  }
}

/** @param {HTMLElement} button */
function turnTheme(button) {
  const now = THEMES.findIndex((theme) =>
    theme === (document.documentElement.dataset.theme ?? "auto")
  );
  const next = THEMES[(now + 1) % THEMES.length];
  setTheme(button, next);
  try {
    localStorage.setItem("kernelcov-theme", next);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/**
 * @param {HTMLElement} button
 * @param {string} theme
 */
function setTheme(button, theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const text = document.documentElement.dataset.theme ?? "auto";
  button.textContent = { auto: "◐", light: "☀", dark: "☾" }[text] ?? "◐";
  button.setAttribute("aria-label", `Colours: ${text}`);
  button.title = `Colours: ${text}`;
}

async function start() {
  const run = await whenRunIsLoaded();
  header(run);
  addEventListener("hashchange", () => show(run));
  await show(run);
}

Object.assign(globalThis, { kernelcov: { put } });
start();
