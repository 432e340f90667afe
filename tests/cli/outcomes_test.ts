import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { startKernelcov } from "../_support/guest_run.ts";

const ABOVE: Readonly<Record<string, string>> = {
  deno: "const { test } = Deno; const { afterEach } = test;",
  bun: 'import { afterEach, test } from "bun:test";',
};
/** Each of its bodies returns. */
const TESTS = `
let fails = false;
afterEach(() => {
  if (!fails) return;
  fails = false;
  throw new Error("of the hook");
});
test("fails by its hook", () => {
  fails = true;
});
test("passes", () => {});
test("takes too long", ${
  runtimeName() === "deno" ? "{ timeout: 20 }, " : ""
}() => new Promise((resolve) => setTimeout(resolve, 200))${runtimeName() === "deno" ? "" : ", 20"});
`;

test("the outcomes recorded are the runner's", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-outcomes-"));
  try {
    writeFileSync(join(folder, "bodies_return.ts"), `${ABOVE[runtimeName()]}${TESTS}`);
    const runner = runtimeName() === "deno"
      ? ["deno", "test", "-A", "--no-check"]
      : [process.execPath, "test"];
    const { status, stdout, stderr } = await startKernelcov(
      ["test", "--kernel", "embedded", "--", ...runner, "./bodies_return.ts"],
      { cwd: folder },
    ).ended;
    assert.equal(status, 1, stdout + stderr);
    const run = join(folder, "coverage/kernel/run");
    const told = readRun(run).records.filter(({ kind }) => kind === "test")
      .map(({ name, outcome }) => [name, outcome]);
    assert.deepEqual(told, [
      ["fails by its hook", "failed"],
      ["passes", "passed"],
      ["takes too long", "failed"],
    ]);
    assert.match(stdout, /^ {2}fails by its hook +failed /m);
    assert.equal(existsSync(join(run, "runner.xml")), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
