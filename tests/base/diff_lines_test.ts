import assert from "node:assert/strict";
import { test } from "node:test";
import { diffLines } from "../../src/base/diff_lines.ts";

/** Length of a longest common subsequence, by the textbook. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i][j] = a[i] === b[j]
        ? lengths[i + 1][j + 1] + 1
        : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths[0][0];
}

test("changes make the new text of the old one, and are as few as can be", () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % below;
  };
  for (let round = 0; round < 3000; round++) {
    const [a, b] = [0, 1].map(() => Array.from({ length: random(14) }, () => "abcd"[random(4)]));
    const made: string[] = [];
    let at = 0, removed = 0;
    for (const { oldStart, oldCount, newStart, newCount } of diffLines(a, b)) {
      made.push(...a.slice(at, oldStart));
      assert.equal(made.length, newStart);
      made.push(...b.slice(newStart, newStart + newCount));
      at = oldStart + oldCount;
      removed += oldCount;
    }
    made.push(...a.slice(at));
    assert.deepEqual(made, b);
    assert.equal(a.length - removed, commonLength(a, b));
  }
});

test("texts with nothing in common are one change", () => {
  const a = Array.from({ length: 5000 }, (_, at) => `a${at}`);
  const b = Array.from({ length: 5000 }, (_, at) => `b${at}`);
  assert.deepEqual(diffLines(a, b), [
    { oldStart: 0, oldCount: 5000, newStart: 0, newCount: 5000 },
  ]);
});
