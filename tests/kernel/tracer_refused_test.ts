import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { recordNamed } from "../_support/supervised.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-refused-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "task_cases");
const source = fileURLToPath(new URL("./fixtures/task_cases.c", import.meta.url));
execFileSync("gcc", ["-O2", "-pthread", "-o", program, source]);

test("a test's record counts the tasks that could not be recorded, each with the reason", {
  timeout: 120_000,
}, () => {
  const { status, records, stdout, stderr } = runFixture(["refused_tests.ts"], {
    env: { TASK_CASES: program },
  });
  assert.equal(status, 0, stdout + stderr);
  const dropped = recordNamed(records, "starts a program that drops its user");
  // The program itself was enrolled before; the two that it starts may not open the device.
  assert.deepEqual(dropped.tree?.refused, [
    { reason: "open /sys/kernel/debug/kcov: EACCES", tasks: 2 },
  ]);
  const functions = kernelFunctions(dropped.pcs);
  assert.ok(functions.has("version_proc_show"));
  assert.equal(functions.has("uptime_proc_show"), false);

  const filtered = recordNamed(records, "starts a program that filters its system calls");
  assert.deepEqual(filtered.tree?.refused.map(({ reason }) => reason), ["seccomp filter"]);
  assert.deepEqual(recordNamed(records, "starts a program as others do").tree?.refused, []);
});
