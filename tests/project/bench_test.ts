import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { noteRow, rowOf, ROWS_VARIABLE } from "../../scripts/bench/bench_row.ts";
import { benchNames, benchSection } from "../../scripts/bench/run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

const ROW = { what: "a | b", figure: "2 s", peer: "llvm 1 s", ratio: "2.00" };

test("rows of all benchmarks are one table, with those that failed", () => {
  assert.ok(benchNames().includes("hook") && !benchNames().includes("run"));
  const measured = [
    { name: "hook", rows: [ROW], status: 0, seconds: 3 },
    { name: "tree", rows: [], status: 1, seconds: 4 },
  ];
  assert.equal(
    benchSection("2026-01-02", "A machine.", measured),
    `## 2026-01-02

A machine.

| benchmark | what | kernelcov | peer | ratio |
| --- | --- | ---: | ---: | ---: |
| hook | a \\| b | 2 s | llvm 1 s | 2.00 |
| tree | ended with status 1 after 4 s |  |  |  |
`,
  );
});

test("a row is on standard output only where it is wanted", () => {
  const script = `import { noteRow } from ${
    JSON.stringify(join(import.meta.dirname!, "../../scripts/bench/bench_row.ts"))
  }; noteRow(${JSON.stringify(ROW)}); console.log("other");`;
  const args = runtimeName() === "deno" ? ["eval", script] : ["-e", script];
  function printed(env: Record<string, string>): string[] {
    const { stdout } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      env: { ...process.env, ...env },
    });
    return stdout.trimEnd().split("\n");
  }
  assert.equal(typeof noteRow, "function");
  assert.deepEqual(printed({}), ["other"]);
  const [row, other] = printed({ [ROWS_VARIABLE]: "1" });
  assert.deepEqual(rowOf(row!), ROW);
  assert.equal(rowOf(other!), undefined);
});
