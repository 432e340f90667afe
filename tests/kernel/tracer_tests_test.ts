import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { RECORDERS, recordNamed } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };

/** What other threads and processes run, by the test that makes them. */
const OWN_FUNCTIONS: Readonly<Record<string, string>> = {
  "reads on a pool thread": "version_proc_show",
  "starts a shell that starts a program": "rtnl_newlink",
  "runs a worker": "uptime_proc_show",
  "fetches from a local server": "tcp_v4_connect",
  "runs a statically linked program": "loadavg_proc_show",
};

for (const recorder of RECORDERS) {
  test(
    `what other threads and processes of a test run is in its record, and in no other's: ${recorder}`,
    SLOW,
    () => {
      const { status, records, stdout, stderr } = runFixture(["tree_tests.ts"], { recorder });
      assert.equal(status, 0, stdout + stderr);
      const tests = records.filter(({ kind }) => kind === "test");
      assert.deepEqual(
        tests.map(({ name }) => name),
        [...Object.keys(OWN_FUNCTIONS), "does nothing"],
      );
      const functions = new Map(tests.map(({ name, pcs }) => [name, kernelFunctions(pcs)]));
      for (const [owner, expected] of Object.entries(OWN_FUNCTIONS)) {
        for (const [name, found] of functions) {
          assert.equal(
            found.has(expected),
            name === owner,
            `${expected} in the record of "${name}"`,
          );
        }
      }
      for (const { name, shared, truncated, tree, outcome } of tests) {
        const told = {
          shared,
          truncated,
          refused: tree?.refused,
          finished: tree?.finished,
          outcome,
        };
        const whole = {
          shared: false,
          truncated: false,
          refused: [],
          finished: true,
          outcome: "passed",
        };
        assert.deepEqual(told, whole, name);
      }
      assert.ok((recordNamed(tests, "starts a shell that starts a program").tree?.tasks ?? 0) >= 3);
    },
  );
}

test("what an empty test runs is kept apart, and is all that an empty test shows", SLOW, () => {
  const rests = [1, 2, 3].map(() => {
    const { status, records, stdout, stderr } = runFixture(["tree_tests.ts"]);
    assert.equal(status, 0, stdout + stderr);
    const baseline = new Set(
      records.filter(({ kind }) => kind === "baseline").flatMap(({ pcs }) => [...pcs]),
    );
    assert.ok(baseline.size > 0, stdout + stderr);
    const rest = [...recordNamed(records, "does nothing").pcs].filter((pc) => !baseline.has(pc));
    // No other test's work comes in any run.
    const others = Object.values(OWN_FUNCTIONS).filter((called) =>
      kernelFunctions(rest).has(called)
    );
    assert.deepEqual(others, []);
    return new Set(rest);
  });
  // Timer ticks, page faults, and an engine that asks for its memory's size come when they come.
  const [first, ...later] = rests;
  const always = [...first].filter((pc) => later.every((rest) => rest.has(pc)));
  assert.ok(always.length < 100, `${always.length} points in ${[...kernelFunctions(always)]}`);
});

for (const recorder of RECORDERS) {
  test(
    `1,000 alternating tests of two calls never show the other's functions: ${recorder}`,
    SLOW,
    () => {
      const { status, records } = runFixture(["alternating_tests.ts"], { recorder });
      assert.equal(status, 0);
      const tests = records.filter(({ kind }) => kind === "test");
      assert.equal(tests.length, 1000);
      for (const { name, pcs } of tests) {
        const functions = [...kernelFunctions(pcs)].join(" ");
        const isFirst = name.startsWith("sysinfo");
        assert.equal(/sysinfo/.test(functions), isFirst, name);
        assert.equal(/getpriority/.test(functions), !isFirst, name);
      }
    },
  );
}
