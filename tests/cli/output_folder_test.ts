import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";

const LAUNCHER = join(import.meta.dirname!, "../../src/cli/kernelcov");
const ENV = { ...process.env, NO_COLOR: "1", KERNELCOV_RUNTIME: runtimeName() };
const RUNNER = runtimeName() === "deno"
  ? [process.execPath, "test", "-A", "--no-check"]
  : [process.execPath, "test"];

function kernelcov(cwd: string, args: readonly string[]) {
  return spawnSync(LAUNCHER, args, { cwd, encoding: "utf8", env: ENV });
}

/** A project with two files of tests, in a folder of its own. */
function inProject<Result>(body: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-project-"));
  const file = (name: string) => `
    import { test } from "node:test";
    import { readFileSync } from "node:fs";
    test("${name} reads", () => { readFileSync("/proc/self/stat"); });
    test("${name} fails", () => { throw new TypeError("as it should"); });`;
  writeFileSync(join(folder, "a_test.ts"), file("a"));
  writeFileSync(join(folder, "b_test.ts"), file("b"));
  writeFileSync(
    join(folder, "slow_test.ts"),
    `import { test } from "node:test";
     import { existsSync, writeFileSync } from "node:fs";
     test("slow", async () => {
       writeFileSync("coverage/kernel/begun", "");
       while (!existsSync("coverage/kernel/go")) await new Promise((done) => setTimeout(done, 20));
     });`,
  );
  return body(folder);
}

function testRun(folder: string, files: readonly string[], options: readonly string[] = []) {
  return kernelcov(folder, ["test", "--kernel", "embedded", ...options, "--", ...RUNNER, ...files]);
}

function testNames(folder: string): string[] {
  return readRun(join(folder, "coverage/kernel")).records
    .filter(({ kind = "test" }) => kind === "test").map(({ name }) => name).sort();
}

const ALL = ["a fails", "a reads", "b fails", "b reads"];

test("a run replaces the tests that it ran, a mistyped command nothing", () => {
  inProject((folder) => {
    try {
      const out = join(folder, "coverage/kernel");
      const all = testRun(folder, ["./a_test.ts", "./b_test.ts"]);
      assert.equal(all.status, 1, all.stderr);
      assert.match(all.stdout, /^4 tests, 2 failed$/m);
      assert.doesNotMatch(all.stdout, /earlier|did not finish/);
      assert.deepEqual(testNames(folder), ALL);
      const lcov = readFileSync(join(out, "lcov.info"));

      const typo = kernelcov(folder, [
        "test",
        "--kernel",
        "embedded",
        "--",
        "sh",
        "-c",
        "exit 7",
      ]);
      assert.equal(typo.status, 7);
      assert.match(typo.stderr, /No test was recorded/);
      assert.deepEqual(testNames(folder), ALL);
      assert.deepEqual(readFileSync(join(out, "lcov.info")), lcov);

      const some = testRun(folder, ["./b_test.ts"]);
      assert.match(some.stdout, /^4 tests, 2 failed$/m);
      assert.match(some.stdout, /earlier: 2 tests recorded by earlier runs/);
      assert.deepEqual(testNames(folder), ALL);
      assert.equal(
        readRun(out).records.filter(({ earlier, name }) => earlier && /^[ab] /.test(name)).length,
        2,
      );

      const fresh = testRun(folder, ["./b_test.ts"], ["--fresh"]);
      assert.match(fresh.stdout, /^2 tests, 1 failed$/m);
      assert.deepEqual(testNames(folder), ["b fails", "b reads"]);
      assert.ok(!readdirSync(join(out, "run")).includes("lock"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("a second run in one output folder is told the process that has it, and the first loses nothing", async () => {
  await inProject(async (folder) => {
    const out = join(folder, "coverage/kernel");
    const first = spawn(
      LAUNCHER,
      ["test", "--kernel", "embedded", "--", ...RUNNER, "./a_test.ts", "./slow_test.ts"],
      { cwd: folder, env: ENV, stdio: "ignore" },
    );
    try {
      while (!existsSync(join(out, "begun"))) {
        assert.equal(first.exitCode, null);
        await new Promise((done) => setTimeout(done, 50));
      }
      const second = testRun(folder, ["./b_test.ts"]);
      assert.equal(second.status, 3);
      assert.match(
        second.stderr,
        new RegExp(`^kernelcov: Process \\d+ records into ${out}/run: .*--out\n$`),
      );
      const report = kernelcov(folder, ["report"]);
      assert.match(report.stdout, /a reads/);
      assert.match(report.stdout, /this run did not finish: what came after/);
      assert.match(report.stderr, /Process \d+ still records this run/);
      assert.ok(!existsSync(join(out, "lcov.info")));
      writeFileSync(join(out, "go"), "");
      await once(first, "close");
      assert.deepEqual(testNames(folder), ["a fails", "a reads", "slow"]);
      assert.ok(existsSync(join(out, "lcov.info")));
    } finally {
      first.kill();
      rmSync(folder, { recursive: true });
    }
  });
});

test("after a run whose process was killed, the next has its folder and the table says what is missing", async () => {
  await inProject(async (folder) => {
    const out = join(folder, "coverage/kernel");
    const first = spawn(
      LAUNCHER,
      ["test", "--kernel", "embedded", "--", ...RUNNER, "./a_test.ts", "./slow_test.ts"],
      { cwd: folder, env: ENV, stdio: "ignore" },
    );
    try {
      while (!existsSync(join(out, "begun"))) await new Promise((done) => setTimeout(done, 50));
      first.kill("SIGKILL");
      await once(first, "close");
      const report = kernelcov(folder, ["report"]);
      assert.equal(report.status, 0, report.stderr);
      assert.match(report.stdout, /this run did not finish: what came after "slow"/);
      assert.match(report.stdout, /^ {2}slow +unfinished /m);
      const second = testRun(folder, ["./b_test.ts"]);
      assert.equal(second.status, 1, second.stderr);
      // The first run began it.
      assert.deepEqual(testNames(folder), [...ALL, "slow"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
