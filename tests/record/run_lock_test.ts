import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { KcovUnavailableError } from "../../src/errors.ts";
import { formatInvocation, thisInvocation } from "../../src/record/invocation.ts";
import { lockRun, runLockHolder } from "../../src/record/run_lock.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

function inFolder<Result>(body: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-lock-"));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a folder is locked once, by a process that is told, and free when that gives it back", () => {
  inFolder((folder) => {
    const directory = join(folder, "deep", "run");
    const lock = lockRun(directory);
    assert.equal(lock.run, formatInvocation(thisInvocation()));
    assert.equal(runLockHolder(directory), process.pid);
    assert.throws(
      () => lockRun(directory),
      (error) =>
        error instanceof KcovUnavailableError && error.reason === "busy" &&
        error.message.startsWith(`Process ${process.pid} records into ${directory}`) &&
        error.message.endsWith("--out"),
    );
    lock[Symbol.dispose]();
    assert.deepEqual(readdirSync(directory), []);
    assert.equal(runLockHolder(directory), undefined);
    lockRun(directory)[Symbol.dispose]();
  });
});

test("the lock of a process that has ended is taken over, whatever it says", () => {
  const own = thisInvocation();
  const stale = [
    formatInvocation({ ...own, start: own.start - 1 }),
    formatInvocation({ ...own, boot: "00112233" }),
    "something else",
  ];
  for (const text of stale) {
    inFolder((folder) => {
      writeFileSync(join(folder, "lock"), text);
      assert.equal(runLockHolder(folder), undefined);
      using lock = lockRun(folder);
      assert.equal(readFileSync(join(folder, "lock"), "utf8"), lock.run);
      assert.deepEqual(readdirSync(folder), ["lock"]);
    });
  }
});

test("a lock is a file, which no runner that looks for tests ends at; a link in its place is nobody's", () => {
  inFolder((folder) => {
    symlinkSync("nowhere", join(folder, "lock"));
    assert.equal(runLockHolder(folder), undefined);
    using _lock = lockRun(folder);
    assert.ok(lstatSync(join(folder, "lock")).isFile());
    assert.deepEqual(readdirSync(folder), ["lock"]);
  });
});

test("a folder that cannot be made is one line that names it and --out", () => {
  inFolder((folder) => {
    writeFileSync(join(folder, "file"), "");
    assert.throws(() => lockRun(join(folder, "file", "run")), (error) => {
      return error instanceof TypeError &&
        /^Cannot write to .*file\/run: E\w+: name a folder .*--out$/.test(error.message);
    });
  });
});

test("of many processes that take over one lock at once, one at a time has it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-lock-"));
  try {
    writeFileSync(join(folder, "lock"), "00112233-1-1");
    const module = new URL("../../src/record/run_lock.ts", import.meta.url).href;
    const script = join(folder, "take.mjs");
    // Who has the lock makes a folder, which fails where another has it too.
    writeFileSync(
      script,
      `import { mkdirSync, rmdirSync } from "node:fs";
       const { lockRun } = await import(${JSON.stringify(module)});
       let had = 0;
       for (let round = 0; round < 200; round++) {
         try {
           using lock = lockRun(${JSON.stringify(folder)});
           mkdirSync(${JSON.stringify(join(folder, "held"))});
           had++;
           rmdirSync(${JSON.stringify(join(folder, "held"))});
         } catch (error) {
           if (error.reason !== "busy") throw error;
         }
       }
       console.log(had);`,
    );
    const flags = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
    const children = Array.from(
      { length: 3 },
      () => spawn(process.execPath, [...flags, script], { stdio: ["ignore", "pipe", "inherit"] }),
    );
    const had = await Promise.all(children.map(async (child) => {
      let text = "";
      child.stdout.on("data", (chunk) => text += chunk);
      const [status] = await once(child, "close");
      assert.equal(status, 0);
      return Number(text);
    }));
    assert.ok(had.reduce((sum, count) => sum + count) > 0);
    assert.deepEqual(readdirSync(folder), ["take.mjs"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
