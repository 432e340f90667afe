import assert from "node:assert/strict";
import { test } from "node:test";
import { findTests } from "../../src/coverage/questions/find_tests.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";

test("findTests() prefers whole names to parts, and keeps repeats together", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(buildUniverse(index), [
    buildRecord(index, "pipe", [0x10]),
    buildRecord(index, "pipe > reads", [0x10]),
    buildRecord(index, "pipe > reads", [0x20], null, { pass: 1 }),
    buildRecord(index, "pipe > reads", [0x20], null, { file: "b_test.ts" }),
  ]);
  const found = (text: string): number[][] => findTests(coverage, text).map((g) => [...g.tests]);
  assert.deepEqual(found("pipe"), [[0]]);
  assert.deepEqual(found("reads"), [[1, 2], [3]]);
  assert.deepEqual(found("b_test.ts: pipe > reads"), [[3]]);
  assert.deepEqual(found("writes"), []);
});

test("findTests() tells tests of one name by their runners, where they are named", () => {
  const index = smallKernel();
  const coverage = new RunCoverage(
    buildUniverse(index),
    ["deno", "bun"].map((runner) =>
      buildRecord(index, "reads", [0x10], null, { runner, file: "a_test.ts" })
    ),
  );
  const found = (text: string): number[][] => findTests(coverage, text).map((g) => [...g.tests]);
  assert.deepEqual(found("reads"), [[0], [1]]);
  assert.deepEqual(found("reads (bun)"), [[1]]);
  assert.deepEqual(found("a_test.ts: reads (deno)"), [[0]]);
});
