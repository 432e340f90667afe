// @ts-check

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */

/**
 * A squarified treemap: boxes in `area`, as large as the values say and as square as can be (Bruls, Huizing and van
 * Wijk). Values are positive; the boxes are in their order, which should descend.
 *
 * @param {readonly number[]} values
 * @param {Box} area
 * @returns {Box[]}
 */
export function treemap(values, area) {
  /** @type {Box[]} */
  const boxes = [];
  let { x, y, width, height } = area;
  let left = values.reduce((sum, value) => sum + value, 0);
  for (let first = 0; first < values.length;) {
    const side = Math.min(width, height);
    const scale = left === 0 ? 0 : width * height / left;
    let end = first + 1;
    let sum = values[first];
    let worst = worstRatio(values[first], values[first], sum, side, scale);
    while (end < values.length) {
      const next = worstRatio(values[first], values[end], sum + values[end], side, scale);
      if (next > worst) break;
      worst = next;
      sum += values[end++];
    }
    // The row lies along the shorter side.
    const depth = side === 0 ? 0 : sum * scale / side;
    let along = 0;
    for (let i = first; i < end; i++) {
      const length = sum === 0 ? 0 : side * values[i] / sum;
      boxes.push(
        width >= height
          ? { x, y: y + along, width: depth, height: length }
          : { x: x + along, y, width: length, height: depth },
      );
      along += length;
    }
    if (width >= height) {
      x += depth;
      width -= depth;
    } else {
      y += depth;
      height -= depth;
    }
    left -= sum;
    first = end;
  }
  return boxes;
}

/**
 * The worst ratio of sides in a row whose largest and smallest values are given.
 *
 * @param {number} largest
 * @param {number} smallest
 * @param {number} sum
 * @param {number} side
 * @param {number} scale
 */
function worstRatio(largest, smallest, sum, side, scale) {
  const rowArea = sum * scale;
  const ratio = side * side / (rowArea * rowArea) * scale;
  return Math.max(ratio * largest, 1 / (ratio * smallest));
}

/**
 * @typedef {object} Node
 * @property {string} name
 * @property {string} path
 * @property {number} value
 * @property {number} hit
 * @property {Node[]} children
 */

/**
 * A tree of paths: each node's numbers are the sums of those below it. Chains of folders with a single child are
 * one node (`include/linux`). Children are in order of value.
 *
 * @param {readonly { path: string, value: number, hit: number }[]} leaves
 * @returns {Node}
 */
export function pathTree(leaves) {
  /** @type {Node} */
  const root = { name: "", path: "", value: 0, hit: 0, children: [] };
  /** @type {Map<string, Node>} */
  const nodes = new Map([["", root]]);
  for (const { path, value, hit } of leaves) {
    let node = root;
    node.value += value;
    node.hit += hit;
    let at = 0;
    while (at <= path.length) {
      const slash = path.indexOf("/", at);
      const end = slash < 0 ? path.length : slash;
      const full = path.slice(0, end);
      let child = nodes.get(full);
      if (child === undefined) {
        child = { name: path.slice(at, end), path: full, value: 0, hit: 0, children: [] };
        nodes.set(full, child);
        node.children.push(child);
      }
      child.value += value;
      child.hit += hit;
      node = child;
      at = end + 1;
    }
  }
  return folded(root);
}

/**
 * @param {Node} node
 * @returns {Node}
 */
function folded(node) {
  while (node.children.length === 1 && node.children[0].children.length > 0) {
    const [child] = node.children;
    node = {
      ...child,
      name: node.name === "" ? child.name : `${node.name}/${child.name}`,
    };
  }
  return {
    ...node,
    children: node.children.map(folded).sort((a, b) => b.value - a.value),
  };
}
