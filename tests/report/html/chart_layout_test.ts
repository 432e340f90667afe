import assert from "node:assert/strict";
import { test } from "node:test";
import { pathTree, treemap } from "../../../src/report/html/browser/chart_layout.js";

test("treemap() fills its area with boxes as large as their values, none over another", () => {
  const values = [600, 300, 300, 120, 90, 60, 20, 6, 3, 1];
  const area = { x: 10, y: 5, width: 100, height: 40 };
  const boxes = treemap(values, area);
  const scale = area.width * area.height / values.reduce((sum, value) => sum + value, 0);
  boxes.forEach((box, i) => {
    assert.ok(Math.abs(box.width * box.height - values[i] * scale) < 1e-6);
    assert.ok(box.x >= area.x - 1e-9 && box.x + box.width <= area.x + area.width + 1e-9);
    assert.ok(box.y >= area.y - 1e-9 && box.y + box.height <= area.y + area.height + 1e-9);
    for (const other of boxes.slice(0, i)) {
      const across = Math.min(box.x + box.width, other.x + other.width) - Math.max(box.x, other.x);
      const down = Math.min(box.y + box.height, other.y + other.height) - Math.max(box.y, other.y);
      assert.ok(across < 1e-9 || down < 1e-9);
    }
  });
});

test("treemap() keeps boxes of equal values near squares", () => {
  const boxes = treemap(Array.from({ length: 24 }, () => 1), { x: 0, y: 0, width: 60, height: 40 });
  for (const { width, height } of boxes) {
    assert.ok(Math.max(width / height, height / width) < 1.6);
  }
});

test("pathTree() sums values, joins folders that hold one folder and orders by value", () => {
  const tree = pathTree([
    { path: "fs/pipe.c", value: 5, hit: 1 },
    { path: "fs/ext4/super.c", value: 30, hit: 2 },
    { path: "arch/x86/kernel/traps.c", value: 7, hit: 7 },
    { path: "arch/x86/kernel/time.c", value: 3, hit: 0 },
  ]);
  assert.deepEqual([tree.value, tree.hit], [45, 10]);
  assert.deepEqual(tree.children.map(({ name, path, value }) => [name, path, value]), [
    ["fs", "fs", 35],
    ["arch/x86/kernel", "arch/x86/kernel", 10],
  ]);
  assert.deepEqual(tree.children[0].children.map(({ name }) => name), ["ext4", "pipe.c"]);
});
