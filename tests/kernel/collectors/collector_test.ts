import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { plainEnvironment } from "../../_support/supervised.ts";

const SLOW = { timeout: 120_000 };
const folder = mkdtempSync("/dev/shm/kernelcov-collector-");
after(() => rmSync(folder, { recursive: true }));

function compiled(name: string): string {
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
function run(program: string, ...args: string[]): void {
  const done = spawnSync(program, args, {
    env: plainEnvironment(),
    encoding: "utf8",
    timeout: SLOW.timeout,
  });
  assert.equal(done.signal, null);
  assert.equal(done.status, 0, done.stdout + done.stderr);
}

const causes = compiled("collector_causes");
for (
  const cause of ["udp", "tcp", "veth", "timerfd", "inotify", "pty", "netns", "close", "io_uring"]
) {
  test(`${cause}: what it causes is in its own collector alone`, SLOW, () => {
    for (const other of ["idle", "busy"]) {
      run(causes, cause, other);
    }
  });
}

const cases = compiled("collector_cases");
for (
  const [name, title] of [
    ["origins", "each point is stored once for each system call and other origin that ran it"],
    [
      "late",
      "what runs late goes to the test that caused it, or to nobody once its collector is renewed",
    ],
    ["scopes", "threads and processes in scope follow a switch, others do not collect"],
    ["full", "a full collector counts what it loses, and nothing written into its area harms it"],
    ["closed", "the last descriptor may go while tasks collect"],
    ["killed", "processes may be killed while they switch"],
    ["refused", "calls in a wrong state are refused, as are more collectors than there may be"],
  ]
) {
  test(title, SLOW, () => run(cases, name));
}
