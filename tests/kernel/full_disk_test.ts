import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { COLLECTORS, RECORDER_VARIABLE } from "../../src/kcov/recorder.ts";
import { readRun } from "../../src/record/read_run.ts";
import { withPreload } from "../../src/runners/runner_command.ts";
import { supervisedCommand } from "../../src/tracer/supervised_command.ts";
import { fixtureCommand } from "../_support/run_supervised_fixture.ts";
import { spawnSync } from "../_support/spawn_sync.ts";
import { plainEnvironment, RECORDERS } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// A guest's tests run as root: a file system of a few pages is easily had.
const SLOW = { timeout: timeLimit(120_000), skip: process.getuid?.() !== 0 };
const TESTS = 12;

/** Calls `body` with a folder on a disk of `size`. */
function onDisk(size: string, body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", folder]);
  try {
    body(folder);
  } finally {
    execFileSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  }
}

function run(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), {
    encoding: "utf8",
    env: { ...plainEnvironment(), ...env },
  });
  return {
    status,
    said: (stdout + stderr).match(/^kernelcov: .*$/gm) ?? [],
    text: stdout + stderr,
  };
}

const LOST =
  /^kernelcov: (?:The record|(\d+) records) of "[^"]+".* could not be written to \S+: ENOSPC: free space/;

function assertLost({ status, said, text }: ReturnType<typeof run>, folder: string): void {
  assert.equal(status, 0, text);
  assert.equal(said.length, 1, text);
  const lost = Number(LOST.exec(said[0])?.[1] ?? 1);
  assert.match(said[0], LOST);
  const { records, damaged, cut = [], lost: counted = 0 } = readRun(folder);
  const tests = records.filter(({ kind = "test" }) => kind === "test").length;
  assert.ok(tests > 0 && tests < TESTS, `${tests} records`);
  const others = lost - (TESTS - tests);
  assert.ok(others >= 0 && others <= 2, said[0]);
  assert.equal(damaged, 0, "half of a record is none");
  assert.ok(counted === lost || cut.length === 1, "the file says so itself, or has no end");
}

test("under a supervisor, a full disk costs records and no test", SLOW, () => {
  onDisk("16k", (folder) => {
    const command = withPreload(fixtureCommand(["many_tests.ts"])).command;
    const options = { command, runDirectory: folder, mode: "auto", record: false } as const;
    assertLost(run(supervisedCommand(options)), folder);
  });
});

test("with collectors, a full disk costs records and no test", {
  ...SLOW,
  skip: SLOW.skip || !RECORDERS.includes("collectors"),
}, () => {
  onDisk("16k", (folder) => {
    const command = withPreload(fixtureCommand(["many_tests.ts"])).command;
    const env = { KERNELCOV_RUN: folder, [RECORDER_VARIABLE]: COLLECTORS };
    assertLost(run(command, env), folder);
  });
});

test("in thread scope, a full disk costs records and no test", SLOW, () => {
  onDisk("24k", (folder) => {
    assertLost(run(fixtureCommand(["many_tests.ts"]), { KERNELCOV_RUN: folder }), folder);
  });
});

test("a folder that is gone is made again, and one that cannot be costs records", SLOW, () => {
  onDisk("1m", (folder) => {
    const gone = join(folder, "run");
    const command = [
      "sh",
      "-c",
      'rm -r "$0" && exec "$@"',
      gone,
      ...withPreload(
        fixtureCommand(["many_tests.ts"]),
      ).command,
    ];
    const options = { command, runDirectory: gone, mode: "auto", record: false } as const;
    const { status, said, text } = run(supervisedCommand(options));
    assert.equal(status, 0, text);
    assert.deepEqual(said, []);
    assert.equal(readRun(gone).records.filter(({ kind }) => kind === "test").length, TESTS);
  });
});
