import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import {
  descendants,
  isRunning,
  KERNELCOV,
  runtimeEnvironment,
  startKernelcov,
} from "../../_support/guest_run.ts";
import { giveTo, ordinaryUser } from "../../_support/ordinary_user.ts";

async function allEnded(pids: readonly number[]): Promise<void> {
  for (let i = 0; i < 200 && pids.some(isRunning); i++) await setTimeout(50);
  assert.deepEqual(pids.filter(isRunning), []);
}

test("kernel path prints the image, and kernel build finds it built", async () => {
  const { vmlinux } = await buildEmbeddedKernel();
  const path = await startKernelcov(["kernel", "path"]).ended;
  assert.deepEqual([path.status, path.stdout], [0, `${vmlinux}\n`]);
  const build = await startKernelcov(["kernel", "build"]).ended;
  assert.deepEqual([build.status, build.stdout, build.stderr], [0, `${vmlinux}\n`, ""]);
});

test("kernel path says how to get a kernel where there is none", async () => {
  const empty = mkdtempSync(join(tmpdir(), "kernelcov-empty-"));
  const path = await startKernelcov(["kernel", "path"], { env: { XDG_CACHE_HOME: empty } }).ended;
  rmSync(empty, { recursive: true });
  assert.deepEqual([path.status, path.stdout], [3, ""]);
  assert.match(path.stderr, /not built yet: run kernelcov kernel build\n$/);
});

test("wrong usage is one line, a hint, and status 2", async () => {
  const lines = [
    [],
    ["bild"],
    ["run"],
    ["run", "true"],
    ["run", "--no-such-option", "--", "true"],
    ["run", "--timeout", "soon", "--", "true"],
    ["run", "--memory", "1X", "--", "true"],
    ["path", "extra"],
    ["shell", "--", "sh"],
  ];
  for (const line of lines) {
    const { status, stdout, stderr } = await startKernelcov(["kernel", ...line]).ended;
    assert.equal(status, 2, line.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^kernelcov: [^\n]+\nUsage: [^\n]+\n$/, line.join(" "));
  }
});

test("the command's status, output and input pass through", async () => {
  const script = "cat; echo err >&2; exit 9";
  const run = await startKernelcov(["kernel", "run", "--", "sh", "-c", script], { stdin: "in\n" })
    .ended;
  assert.deepEqual([run.status, run.stdout, run.stderr], [9, "in\n", "err\n"]);
});

test("the time limit gives 124 and says so", async () => {
  const run = await startKernelcov(["kernel", "run", "--timeout", "0.3", "--", "sleep", "99"])
    .ended;
  assert.equal(run.status, 124);
  assert.match(run.stderr, /time limit of 0\.3 s/);
});

test("Ctrl-C and SIGTERM reach the command, which may clean up; nothing is left running", async () => {
  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    const script =
      "trap 'echo cleaned; exit 7' INT TERM HUP; echo ready; while :; do sleep 0.1; done";
    const polite = startKernelcov(["kernel", "run", "--", "sh", "-c", script]);
    await polite.printed("ready");
    const processes = descendants(polite.pid);
    assert.ok(processes.length > 0);
    polite.kill(signal);
    const end = await polite.ended;
    assert.deepEqual([end.status, end.stdout], [7, "ready\ncleaned\n"], signal);
    await allEnded(processes);

    const plain = startKernelcov(["kernel", "run", "--", "sh", "-c", "echo ready; exec sleep 99"]);
    await plain.printed("ready");
    plain.kill(signal);
    assert.equal((await plain.ended).status, status, signal);
  }
});

test("a second Ctrl-C ends a command that ignores the first", async () => {
  const script = "trap '' INT; echo ready; while :; do sleep 0.1; done";
  const run = startKernelcov(["kernel", "run", "--", "sh", "-c", script]);
  await run.printed("ready");
  const processes = descendants(run.pid);
  run.kill("SIGINT");
  await setTimeout(300);
  run.kill("SIGINT");
  assert.equal((await run.ended).status, 137);
  await allEnded(processes);
});

test("a kernelcov that is killed takes its guest with it", async () => {
  const run = startKernelcov(["kernel", "run", "--", "sh", "-c", "echo ready; exec sleep 1000"]);
  await run.printed("ready");
  const processes = descendants(run.pid);
  run.kill("SIGKILL");
  await run.ended;
  await allEnded(processes);
});

test("a command whose output nobody reads any more ends as after SIGPIPE", () => {
  const pipeline = `'${KERNELCOV}' kernel run -- yes | head -n 1; echo \${PIPESTATUS[0]}`;
  const run = spawnSync("bash", ["-c", pipeline], {
    encoding: "utf8",
    env: runtimeEnvironment(),
    timeout: 60_000,
  });
  assert.deepEqual([run.stdout, run.stderr], ["y\n141\n", ""]);
});

test("on a terminal the command has one too, of the same size, and the keys reach it", () => {
  // script(1) gives kernelcov a terminal; stty tells what the guest's command sees.
  const command =
    `stty rows 33 cols 77; ${KERNELCOV} kernel run -- sh -c 'tty; stty size; read x; echo got $x'`;
  const run = spawnSync("script", ["-qec", command, "/dev/null"], {
    input: "word\n",
    encoding: "utf8",
    env: { ...runtimeEnvironment(), SHELL: "/bin/sh" },
    timeout: 60_000,
  });
  assert.equal(run.status, 0, run.stdout);
  assert.match(run.stdout, /\/dev\/pts\/0\r+\n33 77\r+\n/);
  assert.match(run.stdout, /got word\r+\n/);
});

test("an ordinary user can run the guest, is root in it, and owns what it writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-user-"));
  const user = await ordinaryUser(folder);
  const out = join(folder, "out");
  mkdirSync(out);
  giveTo(user, out);
  try {
    const script = "id -u; test -e /sys/kernel/debug/kcov && echo kcov; echo mine > file";
    const run = await startKernelcov(
      ["kernel", "run", "--write", out, "--", "sh", "-c", script],
      {
        cwd: out,
        env: user.env,
        prefix: user.prefix,
      },
    ).ended;
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stdout, "0\nkcov\n");
    assert.equal(readFileSync(join(out, "file"), "utf8"), "mine\n");
    assert.equal(statSync(join(out, "file")).uid, user.uid);
    assert.deepEqual(readdirSync(out), ["file"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.equal(existsSync(folder), false);
});
