import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { supervisedCommand } from "../../src/tracer/supervised_command.ts";
import { spawnSync } from "../_support/spawn_sync.ts";
import { plainEnvironment, RECORDERS, superviseHere } from "../_support/supervised.ts";
import { timeLimit } from "../_support/limits/time_limit.ts";

const SLOW = { timeout: timeLimit(120_000) };

const folder = mkdtempSync(join(tmpdir(), "kernelcov-cases-"));
after(() => rmSync(folder, { recursive: true }));
const cases = join(folder, "task_cases");
const source = fileURLToPath(new URL("./fixtures/task_cases.c", import.meta.url));
execFileSync("gcc", ["-O2", "-pthread", "-o", cases, source]);

interface Case {
  readonly name: string;
  readonly command: readonly string[];
  readonly input?: string;
  /** Reasons of tasks that cannot be recorded, each with how many at least. */
  readonly refused?: Readonly<Record<string, number>>;
  /** How many tasks the record must hold at least. */
  readonly tasks?: number;
}

function shell(script: string): string[] {
  return ["sh", "-c", script];
}

const CASES: readonly Case[] = [
  { name: "an exit status", command: shell("exit 7") },
  { name: "an end by a signal", command: shell("kill -TERM $$") },
  { name: "an end by a fault", command: shell("ulimit -c 0; kill -SEGV $$") },
  { name: "standard input", command: ["cat"], input: "one\ntwo\n" },
  { name: "standard error", command: shell("echo out; echo error >&2") },
  { name: "a pipeline", command: shell("seq 1000 | sort -rn | head -3; echo $?"), tasks: 4 },
  {
    name: "SIGINT for the process group",
    command: [
      "setsid",
      "-w",
      ...shell("trap 'echo interrupted; exit 5' INT; kill -INT 0; sleep 5"),
    ],
  },
  {
    name: "SIGSTOP and SIGCONT",
    command: shell(
      "sleep 3 & kill -STOP $!; sleep 0.5; cut -d' ' -f3 /proc/$!/stat | tr t T; kill -CONT $!; wait $!; echo $?",
    ),
  },
  {
    name: "job control",
    command: [
      "bash",
      "-c",
      "set -m; sleep 9 & kill -STOP %1; sleep 0.5; jobs; bg %1 >/dev/null; jobs; kill %1; wait %1; echo $?",
    ],
  },
  {
    name: "a terminal",
    command: ["script", "-qec", "test -t 0 && stty size && echo terminal", "/dev/null"],
  },
  { name: "timers, and values of signals", command: [cases, "signals"] },
  { name: "handlers of SIGTRAP and SIGURG", command: [cases, "handlers"], tasks: 7 },
  { name: "the order of SIGCHLD", command: [cases, "children"], tasks: 7 },
  {
    name: "a seccomp filter that kills",
    command: [cases, "seccomp"],
    refused: { "seccomp filter": 2 },
  },
  { name: "a process that may not be dumped", command: [cases, "dumpable"], tasks: 2 },
  { name: "a set-user-id program", command: [join(folder, "set_user_id"), "setuid"] },
  { name: "execve from a thread", command: [cases, "exec", "/bin/echo", "hello"], tasks: 2 },
  { name: "300 threads", command: [cases, "threads", "300"], tasks: 301 },
  { name: "300 threads at once", command: [cases, "at-once", "300"], tasks: 301 },
  {
    name: "500 short-lived processes",
    command: shell("for i in $(seq 500); do /bin/true || echo failed; done; echo done"),
    tasks: 502,
  },
  {
    name: "strace",
    command: [
      "strace",
      "-f",
      "-qq",
      "-e",
      "trace=exit_group",
      "-o",
      "/dev/null",
      ...shell("ls / | wc -l; exit 4"),
    ],
    refused: { "followed by strace": 1 },
  },
  {
    name: "gdb",
    command: [
      "gdb",
      "-nx",
      "-q",
      "-batch",
      "-ex",
      "run",
      "-ex",
      "print 40 + 2",
      "--args",
      "/bin/true",
    ],
    refused: { "followed by gdb": 1 },
  },
];

copyFileSync(cases, join(folder, "set_user_id"));
chmodSync(join(folder, "set_user_id"), 0o4755);
chmodSync(folder, 0o755);

/** Process ids and times differ between any two runs. */
function comparable(text: string): string {
  return text.replaceAll(/\bprocess \d+/g, "process N").replaceAll(/\(\d+\)/g, "(N)");
}

for (const { name, command, input = "", refused = {}, tasks = 1 } of CASES) {
  test(`recorded as without it: ${name}`, SLOW, () => {
    const [program, ...args] = command;
    const plain = spawnSync(program, args, { input, env: plainEnvironment(), encoding: "utf8" });
    for (const recorder of RECORDERS) {
      const collect = recorder === "collectors";
      const recorded = superviseHere(command, { input, record: true, collect });
      assert.deepEqual(
        {
          status: recorded.status,
          signal: recorded.signal,
          stdout: comparable(recorded.stdout),
          stderr: comparable(recorded.stderr),
        },
        {
          status: plain.status,
          signal: plain.signal,
          stdout: comparable(plain.stdout),
          stderr: comparable(plain.stderr),
        },
        recorder,
      );
      const [record] = recorded.records;
      assert.ok(record.pcs.length > 500);
      assert.equal(record.truncated, false);
      const found = record.tree?.tasks ?? 0;
      assert.ok(found >= tasks, `${found} tasks with ${recorder}`);
      for (const [reason, count] of Object.entries(collect ? {} : refused)) {
        const found = record.tree?.refused.find((entry) => entry.reason === reason)?.tasks ?? 0;
        assert.ok(found >= count, `${reason}: ${JSON.stringify(record.tree?.refused)}`);
      }
      if (collect) assert.deepEqual(record.tree?.refused, []);
    }
  });
}

test("a program that is not there ends the command as in a shell", SLOW, () => {
  const { status, stderr } = superviseHere(["/nowhere/to/be/found"]);
  assert.equal(status, 127);
  assert.match(stderr, /not found/);
});

test("an orphan outlives the command and the supervisor", SLOW, async () => {
  const file = join(folder, "orphan");
  const { status } = superviseHere(shell(`(sleep 4; echo late >${file}) >/dev/null 2>&1 & exit 4`));
  assert.equal(status, 4);
  assert.equal(existsSync(file), false);
  for (let tries = 0; !existsSync(file) && tries < 200; tries++) await wait(50);
  assert.equal(readFileSync(file, "utf8"), "late\n");
});

test("the command goes on where the supervisor is killed", SLOW, async () => {
  const file = join(folder, "survivor");
  const runDirectory = join(folder, "killed-run");
  const script = `echo started; sleep 1; ls / | wc -l >/dev/null; echo on >${file}`;
  const [program, ...args] = supervisedCommand({
    command: shell(script),
    runDirectory,
    mode: "auto",
    record: false,
  });
  const supervisor = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => supervisor.stdout.once("data", resolve));
  supervisor.kill("SIGKILL");
  for (let tries = 0; !existsSync(file) && tries < 200; tries++) await wait(50);
  assert.equal(readFileSync(file, "utf8"), "on\n");
});
