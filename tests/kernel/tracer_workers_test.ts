import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runFixture } from "../_support/run_supervised_fixture.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { RECORDERS, recordNamed } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const folder = mkdtempSync(join(tmpdir(), "kernelcov-workers-"));
after(() => rmSync(folder, { recursive: true }));
const program = join(folder, "io_uring_workers");
const source = fileURLToPath(new URL("./fixtures/io_uring_workers.c", import.meta.url));
execFileSync("gcc", ["-O2", "-o", program, source]);

test("a test's record names the threads that the kernel made for io_uring, and no other's does", {
  timeout: timeLimit(120_000),
}, () => {
  const { status, records, stdout, stderr } = runFixture(["worker_tests.ts"], {
    env: { IO_URING_PROGRAM: program },
    recorder: "ptrace",
  });
  assert.equal(status, 0, stdout + stderr);
  const named = recordNamed(records, "has the kernel make workers");
  const refused = [...named.tree?.refused ?? []].sort((a, b) => a.reason < b.reason ? -1 : 1);
  assert.deepEqual(refused, [
    { reason: "io_uring worker iou-sqp", tasks: 1 },
    { reason: "io_uring worker iou-wrk", tasks: 1 },
  ]);
  for (const name of ["uses none of them", "ends the child"]) {
    assert.deepEqual(recordNamed(records, name).tree?.refused, [], name);
  }
});

test("with collectors a test's record has what the threads that the kernel made for io_uring ran", {
  timeout: timeLimit(120_000),
  skip: !RECORDERS.includes("collectors"),
}, () => {
  const { status, records, stdout, stderr } = runFixture(["worker_tests.ts"], {
    env: { IO_URING_PROGRAM: program },
    recorder: "collectors",
  });
  assert.equal(status, 0, stdout + stderr);
  for (const { name, tree, pcs } of records.filter(({ kind }) => kind === "test")) {
    assert.deepEqual(tree?.refused, [], name);
    const isTheirs = name === "has the kernel make workers";
    assert.equal(kernelFunctions(pcs).has("io_wq_worker"), isTheirs, name);
  }
});
