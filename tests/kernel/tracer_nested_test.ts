import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { COLLECTORS, RECORDER_VARIABLE } from "../../src/kcov/recorder.ts";
import { readRun } from "../../src/record/read_run.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import { RUNNERS } from "../../src/runners/all_runners.ts";
import { supervisedCommand } from "../../src/tracer/supervised_command.ts";
import { spawnSync } from "../_support/spawn_sync.ts";
import { plainEnvironment, RECORDERS, superviseHere } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

// Starting a test runner takes its time in a user-mode kernel.
const SLOW = { timeout: timeLimit(120_000) };

const runtime = runtimeName() === "deno" ? "deno" : "bun";
const flags = runtime === "deno" ? "-A --no-check --no-config " : "";
const runner = `${runtime} test ${flags}./a_test.ts`;

const folder = mkdtempSync(join(tmpdir(), "kernelcov-nested-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "bin"));
symlinkSync(process.execPath, join(folder, "bin", runtime));
const PATH = `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`;
function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}
write(
  "a_test.ts",
  'import { test } from "node:test";\nimport { readFileSync } from "node:fs";\n' +
    'test("reads", () => void readFileSync("/proc/version"));\n',
);
write("n.test.mjs", 'import { test } from "node:test";\ntest("nothing", () => {});\n');
write("package.json", JSON.stringify({ private: true, scripts: { check: runner } }));
write("deno.json", JSON.stringify({ tasks: { check: runner } }));
write("Makefile", `check:\n\t@${runner}\n`);
write("check.sh", `#!/usr/bin/env -S ${runner}\n`);
chmodSync(join(folder, "check.sh"), 0o755);

function sh(script: string): string[] {
  return ["sh", "-c", script];
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "npm run": ["npm", "run", "--silent", "check"],
  "the runtime's own tasks": runtime === "deno"
    ? ["deno", "task", "check"]
    : ["bun", "run", "check"],
  make: ["make", "check"],
  "a shell": sh(`cd . && ${runner}`),
  timeout: ["timeout", String(timeLimit(60)), ...runner.split(" ")],
  "a script's first line": ["./check.sh"],
  "an empty environment": ["env", "-i", `PATH=${PATH}`, ...runner.split(" ")],
  "a path": [process.execPath, ...runner.split(" ").slice(1)],
  "a large environment": sh(`export LARGE="$(seq 20000)"; ${runner}`),
  "many arguments": sh(`${runner} $(for i in $(seq 2000); do echo ./a_test.ts; done)`),
};

for (const [name, command] of Object.entries(COMMANDS)) {
  test(`tests that ${name} starts are covered`, SLOW, () => {
    const options = { runners: RUNNERS, cwd: folder, env: { PATH } };
    const { status, records, stdout, stderr } = superviseHere(command, options);
    assert.equal(status, 0, stdout + stderr);
    const tests = records.filter(({ kind }) => kind === "test");
    assert.deepEqual(tests.map(({ name, file }) => [name, file]), [["reads", "a_test.ts"]]);
    // Nothing of the preload is seen.
    assert.doesNotMatch(stdout + stderr, /kernelcov/);
  });
}

test("a runner that may not read the preload runs as it would, and is named", SLOW, () => {
  const script = `mount -t tmpfs none "$PRELOAD_FOLDER"; ${runner}`;
  const { preload } = RUNNERS.find(({ name }) => name === runtime)!;
  const options = {
    runners: RUNNERS,
    cwd: folder,
    env: { PATH, PRELOAD_FOLDER: dirname(preload) },
  };
  const hidden = superviseHere(["unshare", "--mount", ...sh(script)], options);
  assert.equal(hidden.status, 0, hidden.stdout + hidden.stderr);
  assert.deepEqual(hidden.records.filter(({ kind }) => kind === "test"), []);
  assert.match(
    hidden.stderr,
    new RegExp(`^kernelcov: Tests of ${runtime} test \\(it cannot read ${preload}\\)`, "m"),
  );
});

test("a runner that no preload can cover is named, but not where a test started it", SLOW, () => {
  const options = { runners: RUNNERS, cwd: folder, env: { PATH } };
  const { status, stderr } = superviseHere(sh("node --test; make check; node --test"), options);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /^kernelcov: Tests of node --test \(2 times\) have no records/m);

  write(
    "a_test.ts",
    'import { test } from "node:test";\nimport { spawnSync } from "node:child_process";\n' +
      'test("reads", () => void spawnSync("node", ["--test"]));\n',
  );
  const { records, stderr: inTest } = superviseHere(runner.split(" "), options);
  assert.equal(records.filter(({ kind }) => kind === "test").length, 1);
  assert.doesNotMatch(inTest, /kernelcov/);
});

for (const scope of RECORDERS.includes("collectors") ? ["thread", "tree"] : ["thread"]) {
  test(
    `a command that is followed to its runners only has their tests record themselves, in ${scope} scope`,
    SLOW,
    () => {
      write(
        "a_test.ts",
        'import { test } from "node:test";\nimport { readFileSync } from "node:fs";\n' +
          'test("reads", () => void readFileSync("/proc/version"));\n',
      );
      const runDirectory = join(folder, `run-${scope}`);
      const [program, ...args] = supervisedCommand({
        command: sh(`kill -0 $$; env -i PATH="$PATH" ${runner}; exit 7`),
        runDirectory,
        mode: "auto",
        record: false,
        runners: RUNNERS,
        onlyPreload: true,
      });
      const env = {
        ...plainEnvironment(),
        PATH,
        KERNELCOV_RUN: runDirectory,
        ...(scope === "tree" ? { [RECORDER_VARIABLE]: COLLECTORS } : {}),
      };
      const { status, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: "utf8" });
      assert.equal(status, 7, stderr);
      const tests = readRun(runDirectory).records.filter(({ kind = "test" }) => kind === "test");
      assert.deepEqual(tests.map(({ name, scope }) => [name, scope]), [["reads", scope]]);
    },
  );
}
