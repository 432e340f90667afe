import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { KernelWatch } from "../../../src/machines/guest/kernel_watch.ts";

function watchOf(vmlinux = "/no/such/vmlinux"): { watch: KernelWatch; told: string[] } {
  const told: string[] = [];
  return { watch: new KernelWatch(vmlinux, (text) => void (text !== "" && told.push(text))), told };
}

test("a task that hangs is told when its messages have come, although its first line came in parts", async () => {
  const { watch, told } = watchOf();
  watch.take("[    1.000000] kernelcov: test: a test\n[    2.000000] INFO: task sh:2");
  watch.take("4 blocked for more than 120 seconds.\n");
  watch.take("[    2.000000] task:sh  state:D stack:0  pid:24 tgid:24\n");
  assert.deepEqual(told, []);
  while (told.length === 0) await setTimeout(20);
  assert.match(
    told[0]!,
    /a hung task: task sh:24 blocked .*\n {2}process 24 \(sh\)\n {2}test "a test"\n/,
  );
  // Not a second time; and what comes later still has its test.
  watch.take("[    3.000000] Out of memory: Killed process 9 (a)\n");
  await watch.finish(false);
  assert.equal(told.length, 2);
  assert.match(told[1]!, /^kernelcov: The guest ran out of memory .*\n {2}test "a test"\n$/);
});

test("other complaints are told at the end, and none where there were none", async () => {
  const { watch, told } = watchOf();
  watch.take("[    1.000000] Linux version 6.12\n");
  await watch.finish(false);
  assert.deepEqual(told, []);
});

test("an image that is none does not keep the end of the command from being told", async () => {
  const { watch, told } = watchOf("/");
  watch.take("[    1.000000] WARNING: CPU: 0 PID: 7 at fs/a.c:1 f+0x1/0x2\n");
  await watch.finish(false);
  assert.match(
    told[0]!,
    /^kernelcov: Cannot show what the guest's kernel reported: .*: --dmesg shows it\n$/,
  );
});
