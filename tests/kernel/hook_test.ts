import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readRun } from "../../src/record/read_run.ts";
import type { Run } from "../../src/record/test_record.ts";
import { runningKernel } from "../../src/kernel/running_kernel.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { runTests } from "../_support/run_tests.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const OUTCOMES = fileURLToPath(new URL("../hook/fixtures/three_outcomes.ts", import.meta.url));
const NAMES = fileURLToPath(
  new URL(`../hook/fixtures/${runtimeName()}_names.ts`, import.meta.url),
);
// A star marks a record that is shared.
const DENO_NAMES = [
  "given",
  "object",
  "outer *",
  "outer > inner *",
  "overlap *",
  "overlap > first *",
  "overlap > second *",
];
const BUN_NAMES = ["first *", "given", "plain", "row 1 is one", "row 2 is two", "second *"];
const BLOCK = fileURLToPath(new URL("../hook/fixtures/one_block.ts", import.meta.url));

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(60_000) };

/** Runs the fixtures with coverage required and gives their records. */
function recordsOf(flags: string[], times = 1): Run {
  const cwd = mkdtempSync(join(tmpdir(), "kernelcov-hook-"));
  try {
    const directory = join(cwd, "run");
    const environment = {
      KERNELCOV: "require",
      KERNELCOV_RUN: directory,
      KERNELCOV_RUN_ID: "one run",
    };
    for (let time = 0; time < times; time++) {
      const { status, stdout, stderr } = runTests([OUTCOMES, BLOCK], environment, { cwd, flags });
      const text = stdout + stderr;
      assert.notEqual(status, 0);
      assert.match(text, /the body's own error/);
      assert.doesNotMatch(text, /kernelcov: /);
      assert.match(text, /^points [1-9]\d{2,}$/m);
    }
    assert.equal(existsSync(join(cwd, "coverage")), false, "a command's run folder is used alone");
    return readRun(directory);
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

for (const flags of [[], ["--parallel"]]) {
  test(`each test leaves one record under its name ${flags}`, SLOW, () => {
    const { kernel, records, damaged } = recordsOf(flags);
    assert.equal(damaged, 0);
    assert.deepEqual(kernel, runningKernel());
    assert.match(kernel.buildId, /^[0-9a-f]{40}$/);
    const told = records.map(({ name, outcome, callingThreadOnly, shared, truncated }) => {
      return { name, outcome, callingThreadOnly, shared, truncated };
    });
    told.sort((first, second) => first.name < second.name ? -1 : 1);
    const plain = { outcome: "passed", callingThreadOnly: false, shared: false, truncated: false };
    assert.deepEqual(told, [
      { ...plain, name: "fails", outcome: "failed" },
      { ...plain, name: "passes" },
      { ...plain, name: "the block" },
      { ...plain, name: "waits", callingThreadOnly: true },
    ]);
    for (const { name, file, pcs, hits } of records) {
      assert.match(file, name === "the block" ? /one_block\.ts$/ : /three_outcomes\.ts$/);
      if (name !== "waits") assert.ok(pcs.length > 100, `${name}: ${pcs.length} points`);
      assert.equal(hits?.length, pcs.length);
    }
  });
}

test("runs of a command's folder add up", SLOW, () => {
  assert.equal(recordsOf([], 2).records.length, 8);
});

test("each runner's own test function gives names, and tests that overlap are marked", SLOW, () => {
  const cwd = mkdtempSync(join(tmpdir(), "kernelcov-hook-"));
  try {
    const directory = join(cwd, "run");
    const environment = { KERNELCOV: "require", KERNELCOV_RUN: directory };
    const { status, stdout, stderr } = runTests([NAMES], environment, { cwd });
    assert.equal(status, 0, stdout + stderr);
    const names = readRun(directory).records.map(({ name, shared }) =>
      `${name}${shared ? " *" : ""}`
    );
    assert.deepEqual(names.sort(), runtimeName() === "deno" ? DENO_NAMES : BUN_NAMES);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test(
  "without a command, records go to coverage/kernel/run and replace those of the run before",
  SLOW,
  () => {
    const cwd = mkdtempSync(join(tmpdir(), "kernelcov-hook-"));
    // What this process has is not for the runner.
    process.env.KERNELCOV_RUN = join(cwd, "elsewhere");
    try {
      for (let time = 0; time < 2; time++) {
        runTests([OUTCOMES, BLOCK], { KERNELCOV: "require" }, { cwd });
        const names = readRun(join(cwd, "coverage/kernel/run")).records.map(({ name }) => name);
        assert.deepEqual(names.sort(), ["fails", "passes", "the block", "waits"]);
      }
    } finally {
      delete process.env.KERNELCOV_RUN;
      rmSync(cwd, { recursive: true });
    }
  },
);
