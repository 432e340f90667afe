import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { kernelFunctions } from "../_support/kernel_symbols.ts";
import { plainEnvironment } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const KERNELCOV = fileURLToPath(new URL("../../src/cli/kernelcov", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kernelcov-watch-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "watched_test.ts");

/** A test file with one test, which reads a file that no other code reads. */
function write(name: string, path: string): void {
  writeFileSync(
    file,
    `import { readFileSync } from "node:fs";
import { test } from "node:test";
test(${JSON.stringify(name)}, () => { readFileSync(${JSON.stringify(path)}); });
`,
  );
}

test(
  "a watched run has records of each version of a file, and Ctrl-C ends it with everything written",
  { timeout: timeLimit(120_000) },
  async () => {
    write("first version", "/proc/version");
    const out = join(folder, "coverage");
    const runner = runtimeName() === "deno" ? ["test", "-A", "--no-check"] : ["test"];
    const command = [process.execPath, ...runner, "--watch", file];
    const child = spawn(KERNELCOV, ["test", "--kernel", "host", "--out", out, "--", ...command], {
      // A process group of its own, as a terminal's foreground job has.
      detached: true,
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...plainEnvironment(), KERNELCOV_RUNTIME: runtimeName() },
    });
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => output += text);
    }
    async function until(happened: () => boolean): Promise<void> {
      for (let tries = 0; !happened() && tries < 600; tries++) await wait(50);
      assert.ok(happened(), output);
    }
    const run = join(out, "run");
    function hasRecord(name: string): boolean {
      try {
        return readRun(run).records.some((record) => record.name === name);
      } catch {
        return false; // Nothing is written yet.
      }
    }
    try {
      await until(() => hasRecord("first version"));
      // The runner looks for changes from the end of a run on, and does not tell from when.
      await until(() => /1 passed|1 pass/.test(output));
      for (let tries = 0; !hasRecord("second version") && tries < 200; tries++) {
        if (tries % 50 === 0) {
          await wait(1000);
          write("second version", "/proc/uptime");
        }
        await wait(100);
      }
      assert.ok(hasRecord("second version"), output);
      await until(() => (output.match(/1 passed|1 pass/g)?.length ?? 0) >= 2);
    } finally {
      process.kill(-child.pid!, "SIGINT");
    }
    assert.equal(await closed, 130, output);
    const tests = readRun(run).records.filter(({ kind }) => kind === "test");
    const told = tests.map(({ name, outcome, pcs }) => {
      const functions = kernelFunctions(pcs);
      const read = ["version_proc_show", "uptime_proc_show"].filter((each) => functions.has(each));
      return { name, outcome, read };
    });
    const versions = new Map(told.map((each) => [each.name, each]));
    assert.deepEqual([...versions.values()], [
      { name: "first version", outcome: "passed", read: ["version_proc_show"] },
      { name: "second version", outcome: "passed", read: ["uptime_proc_show"] },
    ]);
    assert.ok(existsSync(join(out, "lcov.info")), output);
    assert.match(output, new RegExp(`^${told.length} tests`, "m"));
  },
);
