/**
 * What a test causes is found in the kernel's own threads and interrupts, with the call that it goes back to, and is nobody
 * else's: collector_causes.c has the table.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { after, test } from "node:test";
import { plainEnvironment } from "../../_support/supervised.ts";
import { compiledProgram } from "./compiled_program.ts";

const SLOW = { timeout: 120_000 };
const TITLES: Record<string, string> = {
  beside: "what it causes is in its own collector alone, with its origin",
  next: "what runs when the next test does is the first one's",
  renewed: "what runs after a renewal is nobody's",
  each: "of two that wait for the same work each has its own part",
};

const folder = mkdtempSync("/dev/shm/kernelcov-causes-");
after(() => rmSync(folder, { recursive: true }));
const program = compiledProgram("collector_causes", folder);

function run(...args: string[]): string {
  const done = spawnSync(program, args, {
    env: plainEnvironment(),
    encoding: "utf8",
    timeout: SLOW.timeout,
  });
  assert.equal(done.signal, null);
  assert.equal(done.status, 0, done.stdout + done.stderr);
  return done.stdout;
}

for (const row of run("rows").trimEnd().split("\n")) {
  const [name, ...modes] = row.split(" ");
  // Kernels with KUnit are built by a check.
  if (name === "kunit" && !existsSync("/sys/kernel/debug/kunit")) continue;
  for (const mode of modes) {
    test(`${name}: ${TITLES[mode]}`, SLOW, () => {
      run(name, mode);
    });
  }
}
