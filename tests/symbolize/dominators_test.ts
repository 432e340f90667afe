import assert from "node:assert/strict";
import { test } from "node:test";
import { Dominators, type Edges } from "../../src/symbolize/units/dominators.ts";

/** A graph as pairs of nodes. */
type Pairs = readonly (readonly [from: number, to: number])[];

function edgesBy(pairs: Pairs, count: number, from: 0 | 1): Edges {
  const sorted = [...pairs].sort((a, b) => a[from] - b[from]);
  const first = Int32Array.from(
    { length: count + 1 },
    (_, node) => sorted.filter((pair) => pair[from] < node).length,
  );
  return { first, target: Int32Array.from(sorted, (pair) => pair[1 - from]) };
}

function dominatorsOf(pairs: Pairs, count: number, root: number): number[] {
  const dominators = new Dominators();
  dominators.find(count, root, edgesBy(pairs, count, 0), edgesBy(pairs, count, 1));
  return Array.from(dominators.of.subarray(0, count));
}

/** Nodes that a way from the root leads to which does not pass `without`. */
function reached(pairs: Pairs, root: number, without: number): Set<number> {
  const seen = new Set<number>();
  const visit = (node: number): void => {
    if (node === without || seen.has(node)) return;
    seen.add(node);
    for (const [from, to] of pairs) if (from === node) visit(to);
  };
  visit(root);
  return seen;
}

/** By definition: the dominator of a node that all other dominators of it dominate. */
function expectedDominators(pairs: Pairs, count: number, root: number): number[] {
  const all = reached(pairs, root, -1);
  const dominated = Array.from({ length: count }, (_, node) => reached(pairs, root, node));
  return Array.from({ length: count }, (_, node) => {
    if (node === root || !all.has(node)) return -1;
    const strict = [...all].filter((other) => other !== node && !dominated[other].has(node));
    return strict.find((one) =>
      strict.every((other) => other === one || !dominated[other].has(one))
    )!;
  });
}

test("Dominators finds them in branches, loops and loops with two entries", () => {
  assert.deepEqual(dominatorsOf([[0, 1], [0, 2], [1, 3], [2, 3]], 4, 0), [-1, 0, 0, 0]);
  assert.deepEqual(dominatorsOf([[0, 1], [1, 2], [2, 1], [2, 3]], 4, 0), [-1, 0, 1, 2]);
  assert.deepEqual(dominatorsOf([[0, 1], [0, 2], [1, 2], [2, 1], [2, 3]], 4, 0), [-1, 0, 0, 2]);
  assert.deepEqual(dominatorsOf([[0, 1], [2, 1]], 3, 0), [-1, 0, -1]);
});

test("Dominators are those of the definition, in graphs at random", () => {
  let seed = 7;
  const random = (limit: number): number => {
    seed = Math.imul(seed, 0x19660d) + 0x3c6ef35f | 0;
    return (seed >>> 8) % limit;
  };
  for (let round = 0; round < 600; round++) {
    const count = 2 + random(12);
    const pairs = Array.from(
      { length: random(count * 3) },
      (): [number, number] => [random(count), random(count)],
    );
    const root = random(count);
    assert.deepEqual(
      dominatorsOf(pairs, count, root),
      expectedDominators(pairs, count, root),
      JSON.stringify({ pairs, root }),
    );
  }
});
