import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildEmbeddedKernel } from "../../../src/build/build_kernel.ts";
import { crashReport } from "../../../src/machines/guest/crash_report.ts";
import { inGuest } from "../../_support/guest_run.ts";

const PROVOKE = "/sys/kernel/debug/provoke-crash/DIRECT";
/** What the calls of a write to that file end with. */
const CALLS =
  /^ {2}vfs_write +fs\/read_write\.c:\d+\n {2}ksys_write +fs\/read_write\.c:\d+\n {2}__do_sys_write +fs\/read_write\.c:\d+ \(inlined\)\n {2}sys_write +fs\/read_write\.c:\d+\n/m;

/** The line of the kernel's source that the report names for a function. */
async function sourceLine(report: string, name: string): Promise<string> {
  const found = new RegExp(`^ {2}${name} +(\\S+):(\\d+)`, "m").exec(report);
  assert.ok(found !== null, report);
  const { source } = await buildEmbeddedKernel();
  const path = join(source, found[1]!);
  assert.ok(existsSync(path), path);
  return readFileSync(path, "utf8").split("\n")[Number(found[2]) - 1]!;
}

test("a BUG() is told with its line, the calls that led to it and the last messages", async () => {
  const run = await inGuest(`echo a word before >/dev/kmsg; echo BUG >${PROVOKE}; echo on`);
  assert.deepEqual([run.end, run.exitStatus, run.stdout], ["crashed", 3, ""]);
  assert.match(
    run.stderr,
    /^kernelcov: The guest's kernel panicked: BUG: failure at drivers\/misc\/lkdtm\/bugs\.c:/,
  );
  assert.match(await sourceLine(run.stderr, "lkdtm_BUG"), /BUG\(\);/);
  assert.match(run.stderr, CALLS);
  // No word of the stack that only looks like a call, and none of what prints the trace.
  assert.doesNotMatch(run.stderr, /^ {2}(\? |show_stack|panic)/m);
  assert.match(run.stderr, /^Its last messages before that:\n.* a word before\n/m);
});

test("a fault of the kernel is told with the line that faulted", async () => {
  const run = await inGuest(`echo EXCEPTION >${PROVOKE}`);
  assert.deepEqual([run.end, run.exitStatus], ["crashed", 3]);
  assert.match(
    run.stderr,
    /^kernelcov: The guest's kernel panicked: Kernel mode fault at addr 0x0, ip 0x[0-9a-f]+\n {2}process \d+ \(sh\)\n {2}lkdtm_EXCEPTION /,
  );
  assert.match(await sourceLine(run.stderr, "lkdtm_EXCEPTION"), /\*\(\(volatile int \*\) 0\)/);
  assert.match(run.stderr, CALLS);
});

test("a warning is told and does not end the command", async () => {
  const run = await inGuest(`echo WARNING >${PROVOKE}; echo on`);
  assert.deepEqual([run.end, run.exitStatus, run.stdout], ["exited", 0, "on\n"]);
  assert.match(
    run.stderr,
    /^kernelcov: The guest's kernel warns: WARNING: .* at drivers\/misc\/lkdtm\/bugs\.c:\d+/,
  );
  assert.match(await sourceLine(run.stderr, "lkdtm_WARNING"), /WARN_ON\(/);
  assert.match(run.stderr, CALLS);
});

test("a task that hangs is told while the command still runs, by where it waits", async () => {
  const script = `echo 1 >/proc/sys/kernel/hung_task_timeout_secs
    echo HUNG_TASK >${PROVOKE} & while :; do sleep 0.1; done`;
  const run = await inGuest(script, { timeoutMs: 6000 });
  assert.deepEqual([run.end, run.exitStatus], ["timed-out", 124]);
  assert.match(
    run.stderr,
    /^kernelcov: The guest's kernel found a hung task: task sh:\d+ blocked for more than \d+ seconds/,
  );
  assert.match(await sourceLine(run.stderr, "lkdtm_HUNG_TASK"), /schedule\(\);/);
  assert.match(run.stderr, CALLS);
});

test("a process that is killed because the guest's memory is full is told, and so is a panic for that", async () => {
  const killed = await inGuest("tail /dev/zero; echo $?", { memory: "128M" });
  assert.deepEqual([killed.end, killed.stdout], ["exited", "137\n"]);
  assert.match(
    killed.stderr,
    /^kernelcov: The guest ran out of memory \(--memory gives it more\): Killed process \d+ \(tail\) total-vm:/m,
  );
  const panic = "echo 2 >/proc/sys/vm/panic_on_oom; tail /dev/zero";
  const panicked = await inGuest(panic, { memory: "128M" });
  assert.deepEqual([panicked.end, panicked.exitStatus], ["crashed", 3]);
  assert.match(
    panicked.stderr,
    /The guest's kernel panicked: Out of memory: compulsory panic_on_oom is enabled\n {2}process \d+ \(tail\)\n {2}check_panic_on_oom +mm\/oom_kill\.c:\d+ \(inlined\)\n {2}out_of_memory +mm\/oom_kill\.c:\d+\n/,
  );
});

test("a limit of a control group that a test sets is its own business", async () => {
  const script =
    `mkdir /tmp/cg && mount -t cgroup2 none /tmp/cg && echo +memory >/tmp/cg/cgroup.subtree_control &&
    mkdir /tmp/cg/small && echo 16M >/tmp/cg/small/memory.max &&
    sh -c 'echo $$ >/tmp/cg/small/cgroup.procs; exec tail /dev/zero'; echo $?`;
  const run = await inGuest(script, { memory: "256M" });
  assert.equal(run.stdout, "137\n", run.stderr);
  assert.doesNotMatch(run.stderr, /kernelcov/);
});

test("a program that writes into the kernel's log has not crashed the kernel", async () => {
  const run = await inGuest("echo 'Kernel panic - not syncing: made up' >/dev/kmsg; exit 4");
  assert.deepEqual([run.end, run.exitStatus, run.stderr], ["exited", 4, ""]);
});

test("the kernel's messages are shown where they are asked for, and else not", async () => {
  const shown = await inGuest("echo from the test >/dev/kmsg", { dmesg: true });
  assert.match(shown.stderr, /^\[ +\d+\.\d+\] Linux version /m);
  assert.match(shown.stderr, /^\[ +\d+\.\d+\] from the test$/m);
  const silent = await inGuest("echo from the test >/dev/kmsg");
  assert.equal(silent.stderr, "");
});

test("a crash of a kernel whose image cannot be read is told in the kernel's words", async () => {
  const log = "[    1.000000] Kernel panic - not syncing: made up\n[    1.000000] Call Trace:\n" +
    "[    1.000000]  [<60023ac6>] ? panic+0x172/0x3de\n";
  const report = await crashReport(log, "/no/such/vmlinux", true);
  assert.match(
    report,
    /^kernelcov: The guest's kernel panicked: made up\n {2}its image cannot be read/,
  );
});

test("a kernel that repeats itself is told three times and counted from then on", async () => {
  const log = Array.from({ length: 8 }, (_, i) => `Out of memory: Killed process ${i} (a)\n`);
  const report = await crashReport(log.join(""), "/no/such/vmlinux", false);
  assert.equal(report.match(/ran out of memory/g)?.length, 3);
  assert.match(report, /reported 5 more problems: --dmesg shows them\n$/);
});
