import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { plainEnvironment } from "../../_support/supervised.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

/** Options of a test that runs such a program. */
export const SLOW = { timeout: timeLimit(120_000) };

/** Path of the program `name`, compiled from its source in this folder for the file of tests that calls this. */
export function compiled(name: string): string {
  const folder = mkdtempSync("/dev/shm/kernelcov-collector-");
  after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, name);
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url));
  const flags = [
    "-O2",
    "-Wall",
    "-Werror",
    "-Wno-unused-result",
    "-pthread",
    "-o",
    program,
    source,
    "-lutil",
  ];
  const compiler = spawnSync("gcc", flags, { encoding: "utf8" });
  assert.equal(compiler.status, 0, compiler.stderr);
  return program;
}

/** Runs a case, which says what is not as it should be and fails. */
export function run(program: string, ...args: string[]): void {
  printed(program, ...args);
}

/** What a program prints that ends well. */
export function printed(program: string, ...args: string[]): string {
  const done = spawnSync(program, args, {
    env: plainEnvironment(),
    encoding: "utf8",
    timeout: SLOW.timeout,
  });
  assert.equal(done.signal, null);
  assert.equal(done.status, 0, done.stdout + done.stderr);
  return done.stdout;
}
