import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { runTests } from "../_support/run_tests.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const SLOW = { timeout: timeLimit(120_000) };

test("a test's questions are answered or refused, in thread scope", SLOW, () => {
  const path = fileURLToPath(new URL("fixtures/asking_tests.ts", import.meta.url));
  const { status, stdout, stderr } = runTests([path], { KERNELCOV: "require" }, { cwd: "/tmp" });
  assert.equal(status, 0, stdout + stderr);
});

for (const preload of [true, false]) {
  test(
    `a test's questions are answered or refused, in tree scope, ${preload ? "" : "un"}preloaded`,
    SLOW,
    () => {
      const { status, stdout, stderr } = runFixture(["asking_tests.ts"], { preload });
      assert.equal(status, 0, stdout + stderr);
    },
  );
}
