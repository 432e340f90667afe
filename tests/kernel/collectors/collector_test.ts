<<<<<<< HEAD
import { test } from "node:test";
import { compiled, run, SLOW } from "./program.ts";
=======
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { after, test } from "node:test";
import { plainEnvironment } from "../../_support/supervised.ts";
import { compiledProgram } from "./compiled_program.ts";

const SLOW = { timeout: 120_000 };
const folder = mkdtempSync("/dev/shm/kernelcov-collector-");
after(() => rmSync(folder, { recursive: true }));

/** Runs a case, which says what is not as it should be and fails. */
function run(program: string, ...args: string[]): void {
  const done = spawnSync(program, args, {
    env: plainEnvironment(),
    encoding: "utf8",
    timeout: SLOW.timeout,
  });
  assert.equal(done.signal, null);
  assert.equal(done.status, 0, done.stdout + done.stderr);
}
>>>>>>> a86af3e (tests, recipe: a table of causes, and causes for items that one work deals with together)

const cases = compiledProgram("collector_cases", folder);
for (
  const [name, title] of [
    ["origins", "each point is stored once for each system call and other origin that ran it"],
    [
      "late",
      "what runs late goes to the test that caused it, or to nobody once its collector is renewed",
    ],
    ["scopes", "threads and processes in scope follow a switch, others do not collect"],
    ["refused", "calls in a wrong state are refused, as are more collectors than there may be"],
  ]
) {
  test(title, SLOW, () => run(cases, name));
}
