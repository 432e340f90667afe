import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";
import { eachLabel } from "../../src/hook/each_label.ts";
import { bunRunner } from "../../src/runners/bun/runner.ts";
import { parseRunnerReport } from "../../src/runners/runner_report.ts";

/** Labels, and the rows that fill them. */
const CASES: readonly (readonly [label: string, row: unknown])[] = [
  ["%s and %d", ["a", 2]],
  ["%# of %i%%", [3.7]],
  ["%s %% %x %", ["a"]],
  ["%% %x %s", ["a"]],
  ["%s %#", "a"],
  ["%# %s", "a"],
  ["no place", [1]],
  ["%s", []],
  ["$a.b and $c|", { a: { b: "x" } }],
  ["$a|$b|$a.c|$d.e|$f", { a: "t", b: 1, d: { e: [1] }, f: null }],
  ["${a} $# $0 $a-x $a_b end", { a: 1 }],
  ["$a %s", [{ a: 1 }, "s"]],
  ["$a", "text"],
  ...[1.5, 2, -0, 1e21, "4", null, undefined, true, {}, [1]].map((value) =>
    ["%s|%d|%f|%i|%j|%o", [value, value, value, value, value, value]] as const
  ),
  ...["x", 1, null, undefined, [1, "s"], { a: { b: 1 } }].map((value) =>
    ["%p|$a", [value]] as const
  ),
];

test("a label is filled as Bun reports it", { skip: runtimeName() !== "bun" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-labels-"));
  try {
    const source = `import { test } from "bun:test";
      const cases = eval(process.env.CASES);
      for (const [label, row] of cases) test.each([row])(label, (..._) => {});`;
    writeFileSync(join(folder, "labels.ts"), source);
    const report = join(folder, "r.xml");
    spawnSync(process.execPath, ["test", ...bunRunner.reportArguments(report), "./labels.ts"], {
      cwd: folder,
      // As source: JSON knows neither undefined nor -0.
      env: { ...process.env, CASES: sourceOf(CASES) },
    });
    const names = parseRunnerReport(readFileSync(report, "utf8")).map(({ name }) => name);
    assert.deepEqual(CASES.map(([label, row]) => eachLabel(label, row, 0)), names);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function sourceOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sourceOf).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => `${key}:${sourceOf(field)}`);
    return `({${fields.join(",")}})`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : String(value);
}

test("a row whose number is not known keeps its place", () => {
  assert.equal(eachLabel("%# of %s", ["x"], undefined), "%# of x");
  assert.equal(eachLabel("%# of %s", ["x"], 4), "4 of x");
});
