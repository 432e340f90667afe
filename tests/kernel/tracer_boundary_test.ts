import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { SuperviseOptions } from "../../src/tracer/supervise_options.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { RECORDERS, recordNamed } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

/** What a message to the supervisor makes its thread run. */
const SENDING = ["__se_sys_rt_tgsigqueueinfo", "do_send_specific"];
const MESSAGES = [...SENDING, "ptrace_stop", "get_signal"];

const MODES: Readonly<Record<string, Partial<SuperviseOptions>>> = {
  "each point once": { mode: "unique" },
  "every hit": { mode: "trace" },
  "every hit, on a kernel that does not hide its tracer": { mode: "trace", mainline: true },
};

/** Other architectures do not tell KCOV when the kernel is entered: what runs for the tracer is in records there. */
const HIDES_TRACER = readFileSync("/proc/cpuinfo", "utf8").includes("User Mode Linux");

for (const [name, supervise] of Object.entries(MODES)) {
  test(`a record holds nothing of the supervisor's, and the test's own signals: ${name}`, {
    timeout: timeLimit(120_000),
    skip: !HIDES_TRACER && !supervise.mainline,
  }, () => {
    const { status, records, stdout, stderr } = runFixture(["boundary_tests.ts"], { supervise });
    assert.equal(status, 0, stdout + stderr);
    // Where the tracer shows, any signal or task work of the runtime takes other ways through get_signal().
    const messages = supervise.mainline ? [...SENDING, "ptrace_stop"] : MESSAGES;
    for (const empty of ["nothing", "nothing again", "nothing at last"]) {
      const functions = kernelFunctions(recordNamed(records, empty).pcs);
      // So does a thread that the runtime happens to start then: it stops for the tracer as it begins.
      const startsThread = supervise.mainline && functions.has("__se_sys_set_robust_list");
      const unwanted = startsThread ? SENDING : messages;
      assert.deepEqual(unwanted.filter((called) => functions.has(called)), [], empty);
    }
    const own = recordNamed(records, "queues a signal to itself");
    const functions = kernelFunctions(own.pcs);
    assert.deepEqual(SENDING.filter((called) => !functions.has(called)), []);
    const baseline = records.filter(({ kind }) => kind === "baseline");
    assert.equal(baseline.length, 1);
    const noise = kernelFunctions(baseline[0].pcs);
    assert.deepEqual(messages.filter((called) => noise.has(called)), [], "baseline");
    // Only what every empty test runs: no collection of garbage, no module that is loaded.
    assert.ok(baseline[0].pcs.length < 1000, `${baseline[0].pcs.length} points`);
  });
}

test("what a test's children run holds nothing of how they were enrolled", {
  timeout: timeLimit(120_000),
}, () => {
  const { status, records, stdout, stderr } = runFixture(["tree_tests.ts"]);
  assert.equal(status, 0, stdout + stderr);
  const { pcs, tree } = recordNamed(records, "starts a shell that starts a program");
  assert.ok((tree?.tasks ?? 0) >= 3);
  const functions = kernelFunctions(pcs);
  const hidden = HIDES_TRACER || RECORDERS.includes("collectors");
  const stops = [...hidden ? ["ptrace_stop"] : [], "ptrace_do_notify", "__se_sys_pidfd_getfd"];
  assert.deepEqual(stops.filter((called) => functions.has(called)), []);
});
