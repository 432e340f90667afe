import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { layerProblems } from "../../scripts/checks/layers.ts";

/** What is said of a project of such files. */
function problemsOf(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), "kernelcov-layers-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return layerProblems(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const importOf = (path: string): string => `import { a } from "${path}";\nexport const b = a;\n`;
const typeOf = (path: string): string => `import type { A } from "${path}";\nexport type B = A;\n`;
const LEAF = "export const a = 1;\n";

test("imports go from right to left of the flow only", () => {
  assert.deepEqual(
    problemsOf({ "src/base/one.ts": LEAF, "src/dwarf/two.ts": importOf("../base/one.ts") }),
    [],
  );
  assert.deepEqual(
    problemsOf({ "src/base/one.ts": importOf("../dwarf/two.ts"), "src/dwarf/two.ts": LEAF }),
    ["src/base/one.ts: imports from dwarf, which does not rank below base"],
  );
  const units = "src/symbolize/units/one.ts";
  const index = "src/symbolize/index/two.ts";
  assert.deepEqual(problemsOf({ [units]: importOf("../index/two.ts"), [index]: LEAF }), [
    `${units}: imports from symbolize/index, which does not rank below symbolize/units`,
  ]);
  assert.deepEqual(problemsOf({ "src/odd/one.ts": LEAF }), [
    "src/odd/one.ts: its folder has no place in scripts/checks/layers.ts",
  ]);
});

test("files of a folder may not import in a circle, nor types", () => {
  const [one, two, three] = ["one", "two", "three"].map((name) => `src/sys/${name}.ts`);
  assert.deepEqual(
    problemsOf({
      [one!]: importOf("./two.ts"),
      [two!]: typeOf("./three.ts"),
      [three!]: 'export type A = import("./two.ts").B;\n',
    }),
    [`${two} -> ${three} -> ${two}: imports in a circle`],
  );
  const example = '/**\n * import { a } from "./one.ts";\n */\nexport const a = 1;\n';
  assert.deepEqual(problemsOf({ [one!]: example }), []);
});

test("no folder has more files than can be seen at once, but for cases of tests", () => {
  const files = (folder: string, count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${folder}/f${i}.ts`, LEAF]));
  assert.deepEqual(problemsOf(files("src/sys", 20)), []);
  assert.deepEqual(problemsOf(files("src/sys", 21)), ["src/sys: 21 files, over 20"]);
  assert.deepEqual(problemsOf(files("tests/sys", 21)), ["tests/sys: 21 files, over 20"]);
  assert.deepEqual(problemsOf(files("tests/runners/corpus/deno", 21)), []);
});

test("documents and comments name files that are there", () => {
  const there = { "src/sys/one.ts": LEAF, "docs/a.md": "[b](b.md#part), `src/sys/*.ts`\n" };
  assert.deepEqual(problemsOf({ ...there, "docs/b.md": "see src/sys/one.ts.\n" }), []);
  assert.deepEqual(
    problemsOf({
      ...there,
      "README.md": "`docs/a.md`, `src/sys/gone.ts`, `src/sys/gone_*.ts`, /usr/src/linux\n",
      "src/sys/two.ts": "// As in src/sys/three.ts.\nexport const path = `src/sys/${name}`;\n",
    }),
    [
      "README.md: names src/sys/gone.ts, which is not there",
      "README.md: names src/sys/gone_*.ts, which is not there",
      "docs/a.md: names b.md, which is not there",
      "src/sys/two.ts: names src/sys/three.ts, which is not there",
    ],
  );
});

test("what else a file of the source may not do", () => {
  assert.deepEqual(
    problemsOf({
      "src/report/one.ts": 'import { join } from "node:path";\nexport const a = join("b");\n',
      "src/record/two.ts": 'throw new Error("no");\nDeno.exit(1);\n',
      "src/sys/three.ts": "\n".repeat(501),
    }).sort(),
    [
      "src/record/two.ts:1: a plain Error cannot be told apart by callers",
      "src/record/two.ts:2: names a runtime outside sys, hook, runners",
      "src/report/one.ts: imports node:path, but report takes data and returns data",
      "src/sys/three.ts: 502 lines, over 500",
    ],
  );
});
