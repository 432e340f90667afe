import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelEvents } from "../../../src/machines/guest/kernel_log.ts";

const BUG = `[    0.100000] some driver: hello
[    0.180000] BUG: failure at fs/pipe.c:105/pipe_write()!
[    0.180000] Kernel panic - not syncing: BUG!
[    0.180000] CPU: 0 UID: 0 PID: 23 Comm: sh Not tainted 6.12.117 #2
[    0.180000] Call Trace:
[    0.180000]  [<60023ac6>] ? panic+0x172/0x3de
`;

test("BUG() and its panic are one event, from where the kernel says what failed", () => {
  const [event, ...others] = kernelEvents(BUG, true);
  assert.equal(others.length, 0);
  assert.equal(event!.kind, "panic");
  assert.equal(event!.what, "BUG: failure at fs/pipe.c:105/pipe_write()!");
  assert.equal(event!.from, 1);
  assert.equal(event!.lines.at(-1), ""); // To the log's end.
});

test("a program that writes a panic into the log has not made one", () => {
  assert.deepEqual(kernelEvents(BUG, false), []);
  const later = kernelEvents(`${BUG}[    1.000000] Out of memory: Killed process 9 (a)\n`, false);
  assert.deepEqual(later.map(({ kind }) => kind), ["out of memory"]);
});

test("warnings, bugs, hung tasks and lack of memory are told apart and each has its own messages", () => {
  const log = `[    1.000000] ------------[ cut here ]------------
[    1.000000] WARNING: CPU: 0 PID: 7 at fs/a.c:1 f+0x1/0x2
[    1.000000]  [<60000001>] ? f+0x1/0x2
[    1.000000] ---[ end trace 0000000000000000 ]---
[    1.100000] in between
[    2.000000] INFO: task sh:24 blocked for more than 120 seconds.
[    2.000000] Call Trace:
[    2.000000]  [<60000002>] g+0x1/0x2 (sp 60000000, bp 00000000)
[    2.000000] something else
[    3.000000] BUG: Bad page state in process sh  pfn:1
[    4.000000] Out of memory: Killed process 24 (tail) total-vm:90904kB
[    5.000000] Memory cgroup out of memory: Killed process 25 (tail) total-vm:9kB
`;
  const events = kernelEvents(log, false);
  assert.deepEqual(events.map(({ kind, what, lines }) => [kind, what, lines.length]), [
    ["warning", "WARNING: CPU: 0 PID: 7 at fs/a.c:1 f+0x1/0x2", 3],
    ["hung task", "task sh:24 blocked for more than 120 seconds.", 3],
    ["bug", "BUG: Bad page state in process sh  pfn:1", 1],
    ["out of memory", "Killed process 24 (tail) total-vm:90904kB", 1],
  ]);
});

test("an event belongs to the test that began last before it", () => {
  const log = `[    1.000000] WARNING: CPU: 0 PID: 7 at fs/a.c:1 f+0x1/0x2
[    2.000000] kernelcov: test: a_test.ts: first
[    3.000000] WARNING: CPU: 0 PID: 7 at fs/a.c:2 f+0x1/0x2
[    4.000000] kernelcov: test: a_test.ts: second > step
[    5.000000] BUG: failure at fs/pipe.c:105/pipe_write()!
[    5.000000] Kernel panic - not syncing: BUG!
`;
  assert.deepEqual(kernelEvents(log, true).map(({ what, test }) => [what.slice(0, 3), test]), [
    ["WAR", undefined],
    ["WAR", "a_test.ts: first"],
    ["BUG", "a_test.ts: second > step"],
  ]);
});

test("a log without complaints has no events", () => {
  assert.deepEqual(kernelEvents("[    0.100000] Run /init as init process\n", true), []);
  assert.deepEqual(kernelEvents("", false), []);
});
