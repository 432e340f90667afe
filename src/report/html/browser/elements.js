// @ts-check
/// <reference lib="dom" />

import { count, percent } from "./text.js";

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element. Attributes whose value is `null`, `undefined` or `false` are left out, functions are event listeners;
 * strings become text and never markup, so names from outside are safe.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown> | null} [attributes]
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") {
      made.addEventListener(name, /** @type {EventListener} */ (value));
    } else if (name === "style") made.style.cssText = String(value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    made.append(typeof child === "number" ? String(child) : child);
  }
  return made;
}

/**
 * @param {string} href
 * @param {...(Child | readonly Child[])} children
 */
export function link(href, ...children) {
  return element("a", { href }, ...children);
}

/**
 * A bar with the share beside it.
 *
 * @param {number} hit
 * @param {number} all
 */
export function bar(hit, all) {
  const share = all === 0 ? 0 : 100 * hit / all;
  return element(
    "span",
    { class: "share" },
    element(
      "span",
      { class: "bar", "aria-hidden": "true" },
      element("span", { style: `width:${share}%` }),
    ),
    element("span", { class: "percent" }, percent(hit, all)),
  );
}

/**
 * @param {number} hit
 * @param {number} all
 */
export function fraction(hit, all) {
  return element("span", { class: "fraction" }, count(hit), element("i", null, " / "), count(all));
}

/**
 * @param {string} kind A class of the style sheet.
 * @param {string} text
 */
export function badge(kind, text) {
  return element("span", { class: `badge ${kind}` }, text);
}

/**
 * A heading of a part of a page, with what it counts.
 *
 * @param {string} text
 * @param {string} [detail]
 */
export function heading(text, detail) {
  return element("h2", null, text, detail ? element("small", null, detail) : null);
}

/**
 * A list of facts.
 *
 * @param {readonly (readonly [string, Child])[]} facts
 */
export function factList(facts) {
  return element(
    "dl",
    { class: "facts" },
    ...facts.map(([name, value]) =>
      element("div", null, element("dt", null, name), element("dd", null, value))
    ),
  );
}

/**
 * The folders above a path, each a link, and its last part.
 *
 * @param {string} path
 * @param {(directory: string) => string} addressOf
 */
export function breadcrumbs(path, addressOf) {
  const parts = path === "" ? [] : path.split("/");
  return element(
    "nav",
    { "aria-label": "Folders", class: "crumbs" },
    parts.length === 0 ? element("b", null, "kernel") : link(addressOf(""), "kernel"),
    ...parts.flatMap((part, i) => [
      element("i", null, "/"),
      i === parts.length - 1
        ? element("b", null, part)
        : link(addressOf(parts.slice(0, i + 1).join("/")), part),
    ]),
  );
}

/**
 * Tells readers of the screen what changed.
 *
 * @param {string} text
 */
export function announce(text) {
  const live = document.getElementById("live");
  if (live !== null) live.textContent = text;
}
