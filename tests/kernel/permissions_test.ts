import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../src/sys/runtime.ts";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { RECORDERS } from "../_support/supervised.ts";
import { runTests } from "../_support/run_tests.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };
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

/** What a thread needs at least to be recorded. */
const NEEDED = {
  // To tell the supervisor of its tests.
  ptrace: ["--allow-ffi", "--allow-env"],
  // To write its records.
  collectors: ENOUGH,
};

for (const recorder of RECORDERS) {
  for (const permissions of [ENOUGH, ["--allow-ffi", "--allow-env"], ["--allow-env"], []]) {
    const told = permissions.join(" ") || "no permission";
    test(`with ${recorder} a test with ${told} runs as it does without`, SLOW, () => {
      const run = runFixture([FIXTURE], { permissions, recorder });
      const output = run.stdout + run.stderr;
      assert.equal(run.status, 0, output);
      const isRecorded = runtimeName() === "bun" ||
        NEEDED[recorder].every((needed) => permissions.includes(needed));
      const names = run.records.filter(({ kind }) => kind === "test").map(({ name }) => name);
      assert.deepEqual(names, isRecorded ? ["asks for nothing"] : []);
      const said = /^kernelcov: (no kernel coverage|\d+ records .* could not be written)/m;
      assert.equal(said.test(output), !isRecorded, output);
    });
  }
}
