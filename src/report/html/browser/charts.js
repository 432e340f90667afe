// @ts-check
/// <reference lib="dom" />

import { treemap } from "./chart_layout.js";
import { element } from "./elements.js";
import { count, percent, plural } from "./text.js";

/** @typedef {import("./chart_layout.js").Node} Node */
/** @typedef {import("./chart_layout.js").Box} Box */

/** Boxes narrower than this share of the chart, in percent, are left out: they could not be hit by a pointer. */
const MIN_SHARE = 0.15;
/** Boxes narrower than this have no room for a label. */
const MIN_LABEL = 2.2;
/** Height of a row of the icicle, in pixels. */
const ROW_HEIGHT = 22;

/**
 * A treemap of a folder, two levels deep: areas are lines that can be covered, colours the share that was hit.
 *
 * @param {Node} root
 * @param {(node: Node) => string} addressOf
 */
export function treemapView(root, addressOf) {
  const area = { x: 0, y: 0, width: 100, height: 28 };
  const tiles = boxesOf(root.children, area).map(([node, box]) => {
    const tile = element(
      "div",
      { class: "tile outer", style: `${place(box, area)}${shade(node)}` },
      element(
        "a",
        { href: addressOf(node), title: tip(node), "aria-label": tip(node) },
        node.name,
        " ",
        element("small", null, percent(node.hit, node.value)),
      ),
    );
    if (node.children.length > 0) {
      const inner = boxesOf(node.children, box).map(([child, childBox]) =>
        element("a", {
          class: "tile",
          // The table below leads to the same places, so the keyboard need not go through every tile.
          tabindex: "-1",
          href: addressOf(child),
          title: tip(child),
          "aria-label": tip(child),
          style: `${place(childBox, box)}${shade(child)}`,
        }, childBox.width > 4 && childBox.height > 2 ? child.name : null)
      );
      tile.append(element("div", { class: "inner" }, ...inner));
    }
    return tile;
  });
  return element(
    "nav",
    { class: "treemap", "aria-label": "Treemap: area is lines, colour is the share that was hit" },
    ...tiles,
  );
}

/**
 * @param {readonly Node[]} nodes
 * @param {Box} area
 * @returns {[Node, Box][]}
 */
function boxesOf(nodes, area) {
  const total = nodes.reduce((sum, node) => sum + node.value, 0);
  const large = nodes.filter((node) => node.value > total / 2000);
  const boxes = treemap(large.map((node) => node.value), area);
  return large.map((node, i) => [node, boxes[i]]);
}

/**
 * @param {Box} box
 * @param {Box} area
 */
function place(box, area) {
  return `left:${100 * (box.x - area.x) / area.width}%;top:${
    100 * (box.y - area.y) / area.height
  }%;width:${100 * box.width / area.width}%;height:${100 * box.height / area.height}%;`;
}

/** @param {Node} node */
function shade(node) {
  return node.hit === 0 ? "" : `--share:${Math.round(100 * node.hit / node.value)}%`;
}

/** @param {Node} node */
function tip(node) {
  return `${node.path}: ${percent(node.hit, node.value)}, ${count(node.hit)} of ${
    plural(node.value, "line")
  }`;
}

/**
 * An icicle: each row divides the one above it. A folder opens in place; a leaf is a link.
 *
 * @param {Node} root
 * @param {(leaf: Node) => string} addressOf
 */
export function icicleView(root, addressOf) {
  const view = element("div", {
    class: "icicle",
    role: "group",
    "aria-label": "Icicle: width is the number of lines run",
  });

  /** @param {Node} top */
  function draw(top) {
    /** @type {HTMLElement[]} */
    const boxes = [];
    let depth = 0;

    /**
     * @param {Node} node
     * @param {number} row
     * @param {number} left
     */
    function add(node, row, left) {
      const width = 100 * node.value / top.value;
      if (width < MIN_SHARE) return;
      depth = Math.max(depth, row + 1);
      const leaf = node.children.length === 0;
      const text = `${node.name || "kernel"}: ${plural(node.value, "line")}`;
      const label = width < MIN_LABEL ? null : node.name || "kernel";
      const style = `left:${left}%;width:${width}%;top:${row * ROW_HEIGHT}px;`;
      boxes.push(
        leaf
          ? element("a", {
            href: addressOf(node),
            class: "leaf",
            title: text,
            "aria-label": text,
            style,
          }, label)
          : element("button", {
            type: "button",
            title: node === top && node !== root ? `${text}; back to all` : text,
            "aria-label": text,
            style,
            class: `depth${Math.min(row, 4)}`,
            click: () => {
              draw(node === top ? root : node);
              view.querySelector("button")?.focus();
            },
          }, label),
      );
      let next = left;
      for (const child of node.children) {
        add(child, row + 1, next);
        next += 100 * child.value / top.value;
      }
    }
    add(top, 0, 0);
    view.replaceChildren(...boxes);
    view.style.height = `${depth * ROW_HEIGHT}px`;
  }

  draw(root);
  return view;
}
