import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { runTests } from "../_support/run_tests.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const SANITIZED = fileURLToPath(new URL("fixtures/sanitized_tests.ts", import.meta.url));
const FIXTURE = fileURLToPath(new URL("fixtures/closing_tests.ts", import.meta.url));
// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };

test(
  "a test that closes the hook's descriptors costs the records behind it, and no test",
  SLOW,
  () => {
    const cwd = mkdtempSync(join(tmpdir(), "kernelcov-closed-"));
    try {
      const directory = join(cwd, "run");
      const victim = join(cwd, "victim");
      const environment = { KERNELCOV_RUN: directory, VICTIM: victim };
      const { status, stdout, stderr } = runTests([FIXTURE], environment, { cwd });
      assert.equal(status, 0, stdout + stderr);
      const lines = (stdout + stderr).match(/^kernelcov: .*$/gm) ?? [];
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(lines[0]!, /A test has closed the coverage device/);
      const names = readRun(directory).records.map(({ name }) => name).sort();
      assert.deepEqual(names, ["before", "closes between tests", "closes the device"]);
      assert.equal(readFileSync(victim, "utf8"), "the test's own\n", "nothing else was written to");
    } finally {
      rmSync(cwd, { recursive: true });
    }
  },
);

test(
  "a test that must leave nothing open is not taken for the one that opened the hook's files",
  { ...SLOW, skip: runtimeName() !== "deno" && "only Deno looks" },
  () => {
    const cwd = mkdtempSync(join(tmpdir(), "kernelcov-closed-"));
    try {
      const directory = join(cwd, "run");
      const environment = { KERNELCOV: "require", KERNELCOV_RUN: directory };
      const { status, stdout, stderr } = runTests([SANITIZED], environment, { cwd });
      assert.equal(status, 0, stdout + stderr);
      const names = readRun(directory).records.map(({ name }) => name).sort();
      assert.deepEqual(names, ["first", "second", "third"]);
    } finally {
      rmSync(cwd, { recursive: true });
    }
  },
);
