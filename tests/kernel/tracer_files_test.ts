import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { runtimeName } from "../../src/sys/runtime.ts";
import { withPreload } from "../../src/runners/runner_command.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { collectHere, RECORDERS, superviseHere } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };
/** More than the threads on which Deno runs one file after another. */
const FILES = 6;
const GETPRIORITY = process.arch === "x64" ? 140 : 141;

const folder = mkdtempSync(join(tmpdir(), "kernelcov-files-"));
after(() => rmSync(folder, { recursive: true }));

/** At an error that nobody caught Deno ends the file, with no hook run; Bun goes on with the next test. */
function source(number: number): string {
  return `
${runtimeName() === "deno" ? "const { test } = Deno" : 'import { test } from "bun:test"'};
import { withKernelCoverage } from "${new URL("../../mod.ts", import.meta.url)}";
import { loadLibc } from "${new URL("../../src/sys/load.ts", import.meta.url)}";
const libc = loadLibc();
test("priority ${number}", withKernelCoverage(() => {
  libc.syscall(${GETPRIORITY}n, 0n, 0n, 0n, 0n, 0n, 0n);
}));
test("rejects ${number}", withKernelCoverage(async () => {
  Promise.reject(new Error("nobody's"));
  await new Promise(() => {});
}));
`;
}

for (const preload of [true, false]) {
  test(
    `a test that its file's end cuts short has a record, and takes none from the next file: ${
      preload ? "with" : "without"
    } the preload`,
    SLOW,
    () => {
      const names = Array.from({ length: FILES }, (_, number) => `./file_${number}_test.ts`);
      for (const [number, name] of names.entries()) {
        writeFileSync(join(folder, name), source(number));
      }
      const runner = runtimeName() === "deno" ? ["-A", "--no-prompt", "--no-check"] : ["--isolate"];
      const plain = [process.execPath, "test", ...runner, ...names];
      const command = preload ? withPreload(plain).command : plain;
      const run = RECORDERS[0] === "collectors"
        ? collectHere(command, { cwd: folder })
        : superviseHere(command, { cwd: folder });
      assert.equal(run.status, 1, run.stdout + run.stderr);
      const tests = run.records.filter(({ name }) => /^(priority|rejects) /.test(name));
      const expected = names.flatMap((_, number) => [`priority ${number}`, `rejects ${number}`]);
      assert.deepEqual(tests.map(({ name }) => name).sort(), expected.sort());
      for (const { name, outcome, pcs } of tests) {
        const isPriority = name.startsWith("priority");
        const functions = [...kernelFunctions(pcs)].join(" ");
        assert.equal(/getpriority/.test(functions), isPriority, name);
        const cut = preload ? "failed" : "unfinished";
        assert.equal(outcome, isPriority ? "passed" : cut, name);
      }
    },
  );
}
