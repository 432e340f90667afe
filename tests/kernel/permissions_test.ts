import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../src/sys/runtime.ts";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { runTests } from "../_support/run_tests.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: 120_000 };
const FIXTURE = "../../hook/fixtures/asks_nothing.ts";
/** What the README names. Bun has no permissions: there these are runs like any other. */
const ENOUGH = ["--allow-ffi", "--allow-read", "--allow-write", "--allow-env"];

test("a plain run with no more permissions than are needed records and reports", SLOW, () => {
  const cwd = mkdtempSync(join(tmpdir(), "kernelcov-permissions-"));
  try {
    const path = fileURLToPath(new URL(`fixtures/${FIXTURE}`, import.meta.url));
    const environment = { KERNELCOV: "require" };
    const { status, stdout, stderr } = runTests([path], environment, { cwd, permissions: ENOUGH });
    assert.equal(status, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /^kernelcov: /m);
    assert.ok(existsSync(join(cwd, "coverage/kernel/lcov.info")), stdout + stderr);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

for (const permissions of [["--allow-ffi", "--allow-env"], ["--allow-env"], []]) {
  const told = permissions.join(" ") || "no permission";
  test(`under a supervisor a test with ${told} runs as it does without one`, SLOW, () => {
    const { status, records, stdout, stderr } = runFixture([FIXTURE], { permissions });
    assert.equal(status, 0, stdout + stderr);
    // Without the first two, Deno's thread cannot tell the supervisor of its tests.
    const isTold = runtimeName() === "bun" || permissions.length === 2;
    const names = records.filter(({ kind }) => kind === "test").map(({ name }) => name);
    assert.deepEqual(names, isTold ? ["asks for nothing"] : []);
    assert.equal(/^kernelcov: no kernel coverage/m.test(stdout + stderr), !isTold, stdout + stderr);
  });
}
