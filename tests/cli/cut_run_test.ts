import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readRun } from "../../src/record/read_run.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { runtimeName } from "../../src/sys/runtime.ts";
import {
  descendants,
  guestFolders,
  type RunningCommand,
  startKernelcov,
} from "../_support/guest_run.ts";

const FIXTURE = join(import.meta.dirname!, "fixtures/cut_tests.ts");
const RUNNER = runtimeName() === "deno"
  ? ["deno", "test", "-A", "--no-check", "--no-config"]
  : ["bun", "test", "--timeout", "60000"];

interface CutRun {
  readonly status: number | null;
  readonly stderr: string;
  readonly stdout: string;
  readonly records: readonly TestRecord[];
  /** The one line on standard error that says what cut the run short. */
  readonly line: string;
}

/** Runs the fixture in the embedded kernel, its second test with what cuts it short, and reads message and records. */
async function cutRun(
  script: string,
  options: { args?: string[]; meanwhile?: (run: RunningCommand) => void | Promise<void> } = {},
): Promise<CutRun> {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-cut-"));
  try {
    const out = join(folder, "out");
    const { args = [], meanwhile } = options;
    const run = startKernelcov(
      ["test", "--kernel", "embedded", "--out", out, ...args, "--", ...RUNNER, FIXTURE],
      { cwd: folder, env: { CUT: script, NO_COLOR: "1" } },
    );
    await meanwhile?.(run);
    const { status, stdout, stderr } = await run.ended;
    const records = existsSync(join(out, "run")) && readdirSync(join(out, "run")).length > 0
      ? readRun(join(out, "run")).records
      : [];
    const lines = stderr.split("\n").filter((line) =>
      /^kernelcov: .*(; \d+ tests? had ended|, before a test began)$/.test(line)
    );
    assert.equal(lines.length, 1, stderr);
    assert.deepEqual(guestFolders(run.pid), [], "nothing of the guest stays");
    assert.ok(existsSync(join(out, "lcov.info")) || records.length === 0, stderr);
    return { status, stdout, stderr, records, line: lines[0]! };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SECOND =
  /while "[^"]*cut_tests\.ts: second is cut short" ran: its record is unfinished; 1 test had ended$/;

/** The records of the first two tests are there, and the second is unfinished. */
function assertCut({ records, line, stdout }: CutRun): void {
  const tests = records.filter(({ kind = "test" }) => kind === "test");
  assert.deepEqual(tests.map(({ name, outcome }) => [name, outcome]), [
    ["first ends", "passed"],
    ["second is cut short", "unfinished"],
  ]);
  assert.ok(tests[0]!.pcs.length > 100, "the first test's points are there");
  assert.match(line, SECOND);
  assert.match(stdout, /^ {2}first ends +passed /m);
  assert.match(stdout, /^ {2}second is cut short +unfinished /m);
}

test("a BUG() in the kernel is told with function, file and line, the calls, the running test and those that ended", async () => {
  const run = await cutRun("echo BUG >/sys/kernel/debug/provoke-crash/DIRECT");
  assertCut(run);
  assert.equal(run.status, 3);
  assert.match(
    run.stderr,
    /^kernelcov: The guest's kernel panicked: BUG: failure at drivers\/misc\/lkdtm\/bugs\.c:\d+\/lkdtm_BUG/m,
  );
  assert.match(
    run.stderr,
    /^ {2}process \d+ \(sh\)\n {2}test ".*cut_tests\.ts: second is cut short"\n {2}lkdtm_BUG +drivers\/misc\/lkdtm\/bugs\.c:\d+\n/m,
  );
  assert.match(run.stderr, /^Its last messages before that:\n.*Performing direct entry BUG$/m);
});

test("a warning is told with the test that ran, also where that has long ended", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-warn-"));
  try {
    const run = await startKernelcov(
      ["test", "--kernel", "embedded", "--out", folder, "--", ...RUNNER, FIXTURE],
      { cwd: folder, env: { CUT: "echo WARNING >/sys/kernel/debug/provoke-crash/DIRECT" } },
    ).ended;
    assert.equal(run.status, 0, run.stderr);
    assert.match(
      run.stderr,
      /guest's kernel warns: WARNING: .*\n {2}process \d+ \(sh\)\n {2}test ".*cut_tests\.ts: second is cut short"\n/,
    );
    const tests = readRun(join(folder, "run")).records.filter(({ kind = "test" }) =>
      kind === "test"
    );
    assert.deepEqual(tests.map(({ outcome }) => outcome), ["passed", "passed", "passed"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a supervisor that is killed is said, and what had ended is reported", async () => {
  // The runner's parent is the supervisor; the runner is the shell's.
  const run = await cutRun("kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60", {
    args: ["--recorder", "ptrace"],
  });
  assertCut(run);
  assert.equal(run.status, 137);
  assert.match(run.line, /^kernelcov: The command was ended by SIGKILL while/);
});

test("kill -9 -1 in the guest is said", async () => {
  const run = await cutRun("kill -9 -1; sleep 60");
  assertCut(run);
  assert.equal(run.status, 137);
  assert.match(run.line, /^kernelcov: The command was ended by SIGKILL while/);
});

test("a guest that is killed from outside is said", async () => {
  const run = await cutRun("echo now; exec sleep 600", {
    async meanwhile(run) {
      await run.printed("now\n");
      for (const pid of descendants(run.pid)) {
        if (/\/linux\0/.test(readFileSync(`/proc/${pid}/cmdline`, "latin1"))) {
          process.kill(pid, "SIGKILL");
          break;
        }
      }
    },
  });
  assertCut(run);
  assert.equal(run.status, 3);
  assert.match(run.line, /^kernelcov: The guest was ended by SIGKILL: /);
});

test("power-off, restart and halt are told apart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-reboot-"));
  try {
    const program = join(folder, "reboot");
    const source = "#include <stdlib.h>\n#include <sys/reboot.h>\n" +
      "int main(int n, char **v) { return reboot(strtoul(v[n - 1], 0, 0)); }\n";
    execFileSync("gcc", ["-x", "c", "-o", program, "-"], { input: source });
    // RB_POWER_OFF, RB_AUTOBOOT, RB_HALT_SYSTEM (reboot(2)).
    for (
      const [number, word] of [
        ["0x4321fedc", "powered the guest off"],
        ["0x01234567", "restarted the guest"],
        ["0xcdef0123", "halted the guest"],
      ]
    ) {
      const run = await cutRun(`${program} ${number}; sleep 60`);
      assertCut(run);
      assert.equal(run.status, 3, word);
      assert.match(run.line, new RegExp(`^kernelcov: The command ${word} while`));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("at the time limit the command gets SIGTERM, so that a supervisor keeps what the running test did", async () => {
  const second = await timedOut(["--recorder", "ptrace"]);
  assert.ok(second.pcs.length > 100, "its points up to then are in its record");
});

test("at the time limit the running test is said with collectors too", async () => {
  await timedOut(["--recorder", "collectors"]);
});

/** The record of the test that runs at the time limit. */
async function timedOut(args: readonly string[]): Promise<TestRecord> {
  let run: CutRun, limit = 5;
  // On a busy machine the second test may not have begun by then.
  do {
    limit *= 3;
    // The whole process group gets the signal: a child that died of it first would only fail the test.
    run = await cutRun("trap '' TERM; cat /etc/passwd >/dev/null; exec sleep 600", {
      args: [...args, "--timeout", `${limit}`],
    });
    assert.equal(run.status, 124);
  } while (limit < 300 && !run.records.some(({ name }) => name === "second is cut short"));
  assertCut(run);
  assert.ok(
    run.line.startsWith(`kernelcov: The command was ended at its time limit of ${limit} s while`),
  );
  return run.records.find(({ name }) => name === "second is cut short")!;
}

test("Ctrl-C ends the run, and the running test is said", async () => {
  const run = await cutRun("trap '' INT; echo now; exec sleep 600", {
    async meanwhile(run) {
      await run.printed("now\n");
      run.kill("SIGINT");
    },
  });
  assertCut(run);
  assert.equal(run.status, 130);
  assert.match(run.line, /^kernelcov: The run was ended by SIGINT while/);
});

test("Ctrl-C while the guest starts ends the run, and nothing stays", async () => {
  const run = await cutRun("exit 1", {
    async meanwhile(run) {
      // The guest's kernel has just been started: it says so before its first program runs.
      await run.printed("Linux version");
      run.kill("SIGINT");
    },
    args: ["--dmesg"],
  });
  assert.equal(run.status, 130);
  assert.deepEqual(run.records, []);
  assert.match(
    run.line,
    /^kernelcov: The run was ended by SIGINT while the guest started, before a test began$/,
  );
});
