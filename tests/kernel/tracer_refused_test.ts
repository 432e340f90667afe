import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { RECORDERS, recordNamed } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-refused-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "task_cases");
const source = fileURLToPath(new URL("./fixtures/task_cases.c", import.meta.url));
execFileSync("gcc", ["-O2", "-pthread", "-o", program, source]);

for (const recorder of RECORDERS) {
  test(
    `a test's record counts the tasks that could not be recorded, each with the reason: ${recorder}`,
    {
      timeout: timeLimit(120_000),
    },
    () => {
      const { status, records, stdout, stderr } = runFixture(["refused_tests.ts"], {
        env: { TASK_CASES: program },
        recorder,
      });
      assert.equal(status, 0, stdout + stderr);
      // Neither may open the device, nor look at the supervisor: it is sent to them.
      const dropped = recordNamed(records, "starts a program that drops its user");
      assert.deepEqual(dropped.tree?.refused, []);
      const functions = kernelFunctions(dropped.pcs);
      assert.ok(functions.has("version_proc_show") && functions.has("uptime_proc_show"));

      const hidden = recordNamed(records, "starts a program in a sandbox that hides the device");
      assert.deepEqual(hidden.tree?.refused, []);
      assert.ok(kernelFunctions(hidden.pcs).has("loadavg_proc_show"));

      // Those that the supervisor learns of before their end.
      const killed = recordNamed(records, "kills its children before they run");
      for (const { reason } of killed.tree?.refused ?? []) {
        assert.equal(reason, "killed before it ran");
      }

      const filtered = recordNamed(records, "starts a program that filters its system calls");
      const reasons = filtered.tree?.refused.map(({ reason }) => reason);
      // It makes no call to be collected.
      assert.deepEqual(reasons, recorder === "collectors" ? [] : ["seccomp filter"]);
      assert.deepEqual(recordNamed(records, "asks whether there is coverage").tree?.refused, []);
      assert.deepEqual(recordNamed(records, "starts a program as others do").tree?.refused, []);
    },
  );
}
