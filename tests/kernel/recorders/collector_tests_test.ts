import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KCOV_HOW, KCOV_HOW_SHIFT } from "../../../src/kcov/origin.ts";
import type { TestRecord } from "../../../src/record/test_record.ts";
import { runtimeName } from "../../../src/sys/runtime.ts";
import { kernelFunctions } from "../../_support/kernel_symbols.ts";
import { runFixture } from "../../_support/run_supervised_fixture.ts";
import { RECORDERS, recordNamed } from "../../_support/supervised.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

const SLOW = { timeout: timeLimit(120_000), skip: !RECORDERS.includes("collectors") };

/** What a record has of an origin. */
function functionsOf({ pcs, origins }: TestRecord, how: number): Set<string> {
  const points = (origins ?? []).filter(({ origin }) => origin >>> KCOV_HOW_SHIFT === how)
    .flatMap(({ points }) => [...points]);
  return kernelFunctions(points.map((point) => pcs[point]));
}

/** Functions that only one of the tests runs. */
const OWN: Readonly<Record<string, string>> = {
  "starts a program in namespaces, with another root and user": "show_stat",
  "starts a child that goes on": "filesystems_proc_show",
  "starts a runner": "show_console_dev",
};

test(
  "what a test causes by other tasks, and what runs late, is in its record and in no other's",
  SLOW,
  () => {
    const { status, records, stdout, stderr } = runFixture([
      "../recorders/fixtures/collected_tests.ts",
    ], {
      recorder: "collectors",
    });
    assert.equal(status, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /kernelcov:/);
    const tests = records.filter(({ kind, scope }) => kind === "test" && scope === "tree");
    for (const [owner, called] of Object.entries(OWN)) {
      const with_ = tests.filter(({ pcs }) => kernelFunctions(pcs).has(called));
      assert.deepEqual(with_.map(({ name }) => name), [owner], called);
    }

    // A block within a test has a record, whose points are the test's too.
    const around = kernelFunctions(recordNamed(records, "has a block of its own").pcs);
    const block = kernelFunctions(recordNamed(records, "the block").pcs);
    const reads = ["version_proc_show", "uptime_proc_show", "loadavg_proc_show"];
    assert.deepEqual(reads.map((read) => around.has(read)), [true, true, true]);
    assert.deepEqual(reads.map((read) => block.has(read)), [false, true, false]);

    // The next test waits while it runs.
    const left = recordNamed(records, "leaves the end of a network namespace to the kernel");
    assert.ok(functionsOf(left, KCOV_HOW.work).has("cleanup_net"));
    assert.equal(left.tree?.pending, undefined);
    for (const name of ["waits meanwhile", "does nothing"]) {
      assert.equal(kernelFunctions(recordNamed(records, name).pcs).has("cleanup_net"), false, name);
    }

    // A child belongs to the test that started it, also while another one ends it.
    const started = recordNamed(records, "starts a child that goes on");
    assert.ok(functionsOf(started, KCOV_HOW.child).has("do_exit"));
    assert.equal(functionsOf(recordNamed(records, "ends the child"), KCOV_HOW.child).size, 0);

    // A runner that a test starts records its own threads only: what it runs is the test's.
    const inner = recordNamed(records, "inner");
    assert.deepEqual([inner.scope, inner.outcome], ["thread", "passed"]);
    for (const { name, shared, truncated, tree } of tests) {
      assert.deepEqual(
        [shared, truncated, tree?.refused, tree?.finished],
        [false, false, [], true],
        name,
      );
    }
  },
);

for (const preload of [true, false]) {
  test(
    `tests within tests and at once are told apart as a tracer does, ${
      preload ? "" : "not "
    }preloaded`,
    SLOW,
    () => {
      const fixture = `../../hook/fixtures/${runtimeName()}_names.ts`;
      const [collected, traced] = (["collectors", "ptrace"] as const).map((recorder) => {
        const { status, records, stdout, stderr } = runFixture([fixture], { recorder, preload });
        assert.equal(status, 0, stdout + stderr);
        const told = records.filter(({ kind }) => kind === "test").map((
          { name, shared, outcome },
        ) => `${name} ${shared ? "shared " : ""}${outcome}`);
        return told.sort();
      });
      assert.ok(collected.length > 5);
      assert.deepEqual(collected, traced);
    },
  );
}

test(
  "tests that close descriptors lose nothing, and nothing of theirs is written to or closed",
  SLOW,
  () => {
    const victim = join(mkdtempSync(join(tmpdir(), "kernelcov-victim-")), "victim");
    const run = runFixture(["closing_tests.ts"], {
      recorder: "collectors",
      env: { VICTIM: victim },
    });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.doesNotMatch(run.stdout + run.stderr, /kernelcov:/);
    for (
      const name of [
        "before",
        "closes between tests",
        "closes the device",
        "has no record",
        "nor has this",
      ]
    ) {
      const record = recordNamed(run.records, name);
      assert.deepEqual([record.scope, record.outcome], ["tree", "passed"]);
      assert.ok(kernelFunctions(record.pcs).has("version_proc_show"), name);
    }
    assert.equal(readFileSync(victim, "utf8"), "the test's own\n");
  },
);

test("a test that ends its process has a record of what it ran until then", SLOW, () => {
  const run = runFixture(["../recorders/fixtures/exiting_tests.ts"], { recorder: "collectors" });
  assert.equal(run.status, 3, run.stdout + run.stderr);
  const tests = run.records.filter(({ kind }) => kind === "test");
  assert.deepEqual(tests.map(({ name }) => name), ["ends before", "ends the process"]);
  const [before, exits] = tests;
  assert.deepEqual([before.outcome, kernelFunctions(before.pcs).has("version_proc_show")], [
    "passed",
    true,
  ]);
  assert.notEqual(exits.outcome, "passed");
  assert.ok(kernelFunctions(exits.pcs).has("uptime_proc_show"));
});

test("a test whose process is killed is unfinished, and those before it are kept", SLOW, () => {
  const env = { KILLED: "yes" };
  const run = runFixture(["../recorders/fixtures/exiting_tests.ts"], {
    recorder: "collectors",
    env,
  });
  const tests = run.records.filter(({ kind }) => kind === "test");
  assert.deepEqual(tests.map(({ name, outcome }) => [name, outcome]), [
    ["ends before", "passed"],
    ["ends the process", "unfinished"],
  ]);
  assert.ok(kernelFunctions(tests[0].pcs).has("version_proc_show"));
});

test(
  "a test that has no room for its points says so, and makes room for the next ones",
  SLOW,
  () => {
    const run = runFixture(["../recorders/fixtures/growing_tests.ts"], {
      recorder: "collectors",
      env: { KERNELCOV_WORDS: "1024" },
    });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    const tests = run.records.filter(({ kind }) => kind === "test");
    assert.equal(tests.length, 6);
    const full = tests.map(({ truncated }) => truncated);
    assert.deepEqual([full[0], full[5]], [true, false], `${full}`);
    assert.ok(kernelFunctions(tests[5].pcs).has("do_exit"));
  },
);
