import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { timeLimit } from "../../_support/limits/time_limit.ts";

const SOURCE = fileURLToPath(new URL("./fixtures/collected_comparisons.c", import.meta.url));

test("a collector of comparisons keeps a limited number of pairs, and counts all", {
  timeout: timeLimit(120_000),
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-c-"));
  try {
    const program = join(folder, "collected_comparisons");
    execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-o", program, SOURCE]);
    assert.equal(execFileSync(program, [], { encoding: "utf8" }), "done\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
