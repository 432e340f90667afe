import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { noteRow, rowOf, ROWS_VARIABLE } from "../../scripts/bench/bench_row.ts";
import { benchNames, benchSection, withSection } from "../../scripts/bench/run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

const BENCH = join(import.meta.dirname!, "../../scripts/bench");
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

const MACHINE = "kernelcov 1; 2 × CPU, 24 GB; load average 0.1 before the first benchmark.";
const BUSY =
  "kernelcov 1; 2 × CPU, 24 GB; load average 9.0 before the first benchmark: other work.";

function section(day: string, machine: string, ...names: string[]): string {
  const measured = names.map((name) => ({ name, rows: [ROW], status: 0, seconds: 3 }));
  return benchSection(day, machine, measured);
}

test("benchmarks of one day and machine are added to one table, others to the front", () => {
  const head = "# Benchmarks\n\n<!-- newest first -->\n";
  const first = withSection(head, section("2026-01-02", MACHINE, "hook"));
  assert.equal(first, `${head}\n${section("2026-01-02", MACHINE, "hook")}`);
  const second = withSection(first, section("2026-01-02", BUSY, "tree"));
  assert.equal(second, `${head}\n${section("2026-01-02", BUSY, "hook", "tree")}`);
  const again = withSection(second, section("2026-01-02", MACHINE, "hook"));
  assert.equal(again, `${head}\n${section("2026-01-02", MACHINE, "tree", "hook")}`);
  const later = withSection(again, section("2026-01-03", MACHINE, "hook"));
  assert.equal(
    later,
    `${head}\n${section("2026-01-03", MACHINE, "hook")}\n${
      section("2026-01-02", MACHINE, "tree", "hook")
    }`,
  );
  assert.equal(
    withSection(later, section("2026-01-03", MACHINE, "tree")),
    `${head}\n${section("2026-01-03", MACHINE, "hook", "tree")}\n${
      section("2026-01-02", MACHINE, "tree", "hook")
    }`,
  );
});

test("each benchmark writes rows", () => {
  for (const name of benchNames()) {
    const script = readFileSync(join(BENCH, `${name}.ts`), "utf8");
    const parts = existsSync(join(BENCH, name))
      ? readdirSync(join(BENCH, name)).map((file) => readFileSync(join(BENCH, name, file), "utf8"))
      : [];
    assert.ok([script, ...parts].some((text) => text.includes("noteRow({")), name);
  }
});
