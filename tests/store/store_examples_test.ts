/** A real run of the examples, recorded in the embedded kernel: its store answers as its folder does. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadRun } from "../../src/run/load_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { startKernelcov } from "../_support/guest_run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-stored-examples-"));
after(() => rmSync(FOLDER, { recursive: true }));
const RUN = join(FOLDER, "run");
const STORE = join(FOLDER, "store");

async function kernelcov(...args: readonly string[]): Promise<string> {
  const env = { KERNELCOV_RUN: "", KERNELCOV_VMLINUX: "" };
  const { status, stdout, stderr } = await startKernelcov(args, { cwd: ROOT, env }).ended;
  assert.equal(status, 0, `kernelcov ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

const runner = runtimeName() === "deno"
  ? ["deno", "test", "-A", "--no-check"]
  : ["bun", "test", "--timeout", "60000"];
await kernelcov(
  ...["test", "--kernel", "embedded", "--repeat", "2", "--out", FOLDER, "--", ...runner],
  "./examples",
);
await kernelcov("store", "add", STORE, RUN);

/** A patch of some lines that tests run, and of some that they do not. */
function writePatch(): string {
  const { coverage } = loadRun(RUN);
  const { image } = coverage.universe;
  const lines = [...coverage.lineHit.keys()].filter((line) => coverage.lineHit[line] === 1);
  const path = join(FOLDER, "change.patch");
  const hunks = Array.from({ length: 20 }, (_, at) => {
    const line = lines[Math.floor(lines.length * at / 20)] + at % 3;
    const file = image.files[image.lineFile[line]], number = image.lineNumber[line];
    return `--- a/${file}\n+++ b/${file}\n@@ -${number},1 +${number},1 @@\n-\told();\n+\tnew();\n`;
  });
  writeFileSync(path, hunks.join(""));
  return path;
}

const QUESTIONS: readonly (readonly string[])[] = [
  ["which", "vfs_read"],
  ["which", "fs/read_write.c:555"],
  ["which", "net/unix"],
  ["which", "--diff", writePatch()],
  ["show", "a pipe carries bytes"],
  ["show", "a TCP connection echoes", "--by", "origin"],
  ["show", "a unix socket echoes", "--flaky"],
  ["unique"],
  ["minimize"],
  ["diff", "a pipe carries bytes", "the pipe is closed"],
  ["unique", "--include", "runtime,faults"],
  ["which", "vfs_read", "--origin", "call:read"],
  ["minimize", "--steady"],
];

for (const question of QUESTIONS) {
  const name = question.map((word) => word.replace(FOLDER, "")).join(" ");
  test(`kernelcov ${name} says of a store what it says of the run, with each driver`, async () => {
    const expected = await kernelcov(...question, "--run", RUN, "--json");
    const text = await kernelcov(...question, "--run", RUN);
    for (const driver of ["built-in", "duckdb"]) {
      const store = ["--run", STORE, "--driver", driver];
      assert.equal(await kernelcov(...question, ...store, "--json"), expected, driver);
    }
    assert.equal(await kernelcov(...question, "--run", STORE), text);
  });
}
