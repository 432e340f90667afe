import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TestRecord } from "../../src/record/test_record.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { fixtureCommand, runFixture } from "../_support/run_supervised_fixture.ts";
import { spawnSync } from "../_support/spawn_sync.ts";
import { plainEnvironment, recordNamed } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };

const folder = mkdtempSync(join(tmpdir(), "kernelcov-runners-"));
after(() => rmSync(folder, { recursive: true }));

function testsOf(records: readonly TestRecord[]): readonly TestRecord[] {
  return records.filter(({ kind }) => kind === "test");
}

for (const preload of [true, false]) {
  test(
    `a body wrapped by hand has one record, ${preload ? "with" : "without"} the preload`,
    SLOW,
    () => {
      const { status, records } = runFixture(["wrapped_tests.ts"], { preload });
      assert.equal(status, 1);
      const tests = testsOf(records);
      const outcomes = tests.map(({ name, outcome, shared }) => ({ name, outcome, shared }));
      const expected = [
        { name: "wrapped", outcome: "passed", shared: false },
        { name: "fails", outcome: "failed", shared: false },
        { name: "waits", outcome: "passed", shared: false },
      ];
      assert.deepEqual(outcomes, preload ? expected : [expected[0], expected[2]]);
      assert.ok(kernelFunctions(recordNamed(tests, "wrapped").pcs).has("version_proc_show"));
    },
  );
}

test("files that run at once keep their own processes' points apart", SLOW, () => {
  const files = ["parallel_one.ts", "parallel_two.ts"];
  const { status, records, stdout, stderr } = runFixture(files, { flags: ["--parallel"] });
  assert.equal(status, 0, stdout + stderr);
  const tests = testsOf(records);
  assert.equal(tests.length, 10);
  for (const { name, pcs } of tests) {
    const functions = kernelFunctions(pcs);
    const isOne = name.startsWith("one");
    const told = [functions.has("loadavg_proc_show"), functions.has("uptime_proc_show")];
    assert.deepEqual(told, [isOne, !isOne], name);
  }
});

/** A JUnit report without times. */
function report(preload: boolean): string {
  const path = join(folder, `${preload}.xml`);
  const junit = runtimeName() === "deno"
    ? [`--junit-path=${path}`]
    : ["--reporter=junit", `--reporter-outfile=${path}`];
  if (preload) runFixture(["tree_tests.ts", "wrapped_tests.ts"], { flags: junit });
  else {
    const [program, ...args] = fixtureCommand(["tree_tests.ts", "wrapped_tests.ts"], junit);
    spawnSync(program, args, { env: plainEnvironment(), encoding: "utf8" });
  }
  const text = readFileSync(path, "utf8").replaceAll(/ (time|hostname|timestamp)="[^"]*"/g, "");
  // Bun shows every frame of a stack, this library's too.
  return runtimeName() === "deno" ? text : text.replaceAll(/(&#10; +at [^&]*)+/g, "");
}

test("the runner's JUnit report is what it is without the preload", SLOW, () => {
  const plain = report(false);
  assert.match(plain, /line="\d+"/);
  assert.equal(report(true), plain);
});

test("a filter, a shuffle and a repeat leave a record for each body that ran", SLOW, () => {
  const flags = runtimeName() === "deno"
    ? ["--filter=waits", "--shuffle=3"]
    : ["--test-name-pattern=waits", "--rerun-each=2"];
  const { status, records } = runFixture(["wrapped_tests.ts"], { flags });
  assert.equal(status, 0);
  const names = testsOf(records).map(({ name }) => name);
  assert.deepEqual(names, runtimeName() === "deno" ? ["waits"] : ["waits", "waits"]);
});

test("each attempt of a test that fails leaves a record of its own", SLOW, () => {
  const { status, records } = runFixture(["wrapped_tests.ts"], { flags: ["--retry=2"] });
  assert.equal(status, 1);
  const attempts = testsOf(records).filter(({ name }) => name === "fails");
  assert.deepEqual(attempts.map(({ outcome }) => outcome), ["failed", "failed", "failed"]);
  for (const { pcs } of attempts) assert.ok(kernelFunctions(pcs).has("uptime_proc_show"));
});

test("a shard leaves records of its own files, and the shards together of all", SLOW, () => {
  const files = ["parallel_one.ts", "parallel_two.ts"];
  const shards = [1, 2].map((shard) => {
    const { status, records, stderr } = runFixture(files, { flags: [`--shard=${shard}/2`] });
    assert.equal(status, 0, stderr);
    return new Set(testsOf(records).map(({ name }) => name.slice(0, 3)));
  });
  assert.deepEqual(shards.map(({ size }) => size), [1, 1]);
  assert.deepEqual([...shards[0], ...shards[1]].sort(), ["one", "two"]);
});
