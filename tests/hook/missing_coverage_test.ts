import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../src/sys/runtime.ts";
import { runTests, type TestRun } from "../_support/run_tests.ts";

const OUTCOMES = fileURLToPath(new URL("fixtures/three_outcomes.ts", import.meta.url));
const MODEST = fileURLToPath(new URL("fixtures/asks_nothing.ts", import.meta.url));
const BLOCK = fileURLToPath(new URL("fixtures/one_block.ts", import.meta.url));

// A size that no kernel takes: coverage is then missing on every machine, with KCOV or without.
const MISSING = { KERNELCOV_WORDS: "1" };

/** Runs both fixtures in an empty folder, which must stay empty. */
function run(environment: Readonly<Record<string, string>>, flags: string[] = []): TestRun {
  const cwd = mkdtempSync(join(tmpdir(), "kernelcov-missing-"));
  try {
    const result = runTests([OUTCOMES, BLOCK], environment, { cwd, flags });
    assert.equal(existsSync(join(cwd, "coverage")), false);
    return result;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

function outcomes({ stdout, stderr }: TestRun): string[] {
  const text = stdout + stderr;
  const ran = [
    ...text.matchAll(/^(?:\((pass|fail)\) ([\w ]+?)(?: \[|$)|([\w ]+?) \.\.\. (ok|FAILED) )/gm),
  ];
  return ran.map(([, bunOutcome, bunName, denoName, denoOutcome]) => {
    const failed = bunOutcome === "fail" || denoOutcome === "FAILED";
    return `${failed ? "fail" : "pass"} ${bunName ?? denoName}`;
  }).sort();
}

/** The tests' own outcomes, with or without the hook. */
const OWN = ["fail fails", "pass has a block", "pass passes", "pass waits"];

function linesOfHook({ stdout, stderr }: TestRun): string[] {
  return (stdout + stderr).split("\n").filter((line) => line.startsWith("kernelcov: "));
}

test("without coverage tests end as they do by themselves, and one line says why", () => {
  const result = run(MISSING);
  assert.deepEqual(outcomes(result), OWN, result.stdout + result.stderr);
  assertSaidOnce(result);
});

test("files that run in parallel say it once too", () => {
  const result = run(MISSING, ["--parallel"]);
  // Deno names only the failed tests here.
  const text = result.stdout + result.stderr;
  assert.match(text, /\b3 pass(ed)?\b/, text);
  assert.match(text, /\b1 fail(ed)?\b/, text);
  assertSaidOnce(result);
});

function assertSaidOnce(result: TestRun): void {
  const text = result.stdout + result.stderr;
  assert.notEqual(result.status, 0);
  const lines = linesOfHook(result);
  assert.equal(lines.length, 1, text);
  assert.match(
    lines[0],
    /^kernelcov: no kernel coverage: Cannot use .* of 1 words: use a multiple/,
  );
  assert.match(text, /the body's own error/);
  assert.match(text, /^no points$/m);
}

test("KERNELCOV=off says nothing and changes nothing", () => {
  const result = run({ ...MISSING, KERNELCOV: "off" });
  assert.deepEqual(outcomes(result), OWN);
  assert.deepEqual(linesOfHook(result), []);
});

test("KERNELCOV=require makes every covered test fail with the reason", () => {
  const result = run({ ...MISSING, KERNELCOV: "require" });
  const all = ["fail fails", "fail has a block", "fail passes", "fail waits"];
  assert.deepEqual(outcomes(result), all, result.stdout + result.stderr);
  assert.match(result.stdout + result.stderr, /KcovUnavailableError: Cannot use .* of 1 words/);
  assert.doesNotMatch(result.stdout + result.stderr, /the body's own error'/);
});

/** Sets of Deno's permissions that record nothing here; Bun has none to give. */
const PERMISSIONS = runtimeName() === "deno"
  ? [
    [],
    ["--allow-ffi"],
    ["--allow-read"],
    ["--allow-read", "--allow-env"],
    ["--allow-ffi", "--allow-read", "--allow-write", "--allow-env"],
  ]
  : [[]];

for (const permissions of PERMISSIONS) {
  test(`a test with ${permissions.join(" ") || "no permission"} passes, and one line says what is missing`, () => {
    const result = runTests([MODEST], MISSING, { permissions });
    const text = result.stdout + result.stderr;
    assert.equal(result.status, 0, text);
    const [line, ...more] = linesOfHook(result);
    assert.match(line, /^kernelcov: no kernel coverage: /, text);
    assert.deepEqual(more, []);
    if (permissions.length < 4) return;
    assert.match(line, /of 1 words/, text);
  });
}

test("KERNELCOV=require makes a test fail that may not load the hook", () => {
  const permissions = ["--allow-env"];
  const result = runTests([MODEST], { ...MISSING, KERNELCOV: "require" }, { permissions });
  const text = result.stdout + result.stderr;
  assert.notEqual(result.status, 0, text);
  const missing = runtimeName() === "deno"
    ? /KcovUnavailableError: .*the permission to read files is missing/
    : /KcovUnavailableError: Cannot use .* of 1 words/;
  assert.match(text, missing);
});
