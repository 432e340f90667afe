/** Small tests of calls that tell and set what a task has. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { bytesOf, cText, failsWith, succeeds, systemCall, textOf } from "./system_call.ts";

test("a thread has a name of 15 bytes at most", () => {
  const SET = 15, GET = 16, before = new Uint8Array(16), name = new Uint8Array(16);
  succeeds("prctl", GET, before);
  succeeds("prctl", SET, cText("a name that is long"));
  succeeds("prctl", GET, name);
  succeeds("prctl", SET, before);
  assert.equal(textOf(name), "a name that is \0");
});

test("what prctl sets it tells, and refuses what is none", () => {
  const GET_DUMPABLE = 3, SET_DEATH = 1, GET_DEATH = 2, GET_SUBREAPER = 37;
  const value = new Int32Array(1);
  assert.ok([0, 1, 2].includes(succeeds("prctl", GET_DUMPABLE)));
  failsWith("EINVAL", "prctl", 4, 7);
  succeeds("prctl", SET_DEATH, 10);
  succeeds("prctl", GET_DEATH, bytesOf(value));
  assert.equal(value[0], 10);
  succeeds("prctl", SET_DEATH, 0);
  failsWith("EINVAL", "prctl", SET_DEATH, 99);
  succeeds("prctl", GET_SUBREAPER, bytesOf(value));
  assert.equal(value[0], 0);
  failsWith("EINVAL", "prctl", 12345);
});

test("a limit is below the one that it cannot pass", () => {
  const CORE = 4, old = new BigUint64Array(2), now = new BigUint64Array(2);
  succeeds("prlimit64", 0, CORE, 0, bytesOf(old));
  succeeds("prlimit64", 0, CORE, bytesOf(BigUint64Array.of(4096n, old[1])), 0);
  succeeds("prlimit64", 0, CORE, bytesOf(old), bytesOf(now));
  assert.deepEqual([...now], [4096n, old[1]]);
  failsWith("EINVAL", "prlimit64", 0, CORE, bytesOf(BigUint64Array.of(2n, 1n)), 0);
  failsWith("EINVAL", "prlimit64", 0, 99, 0, bytesOf(now));
  failsWith("ESRCH", "prlimit64", 2 ** 22 - 1, CORE, 0, bytesOf(now));
});

test("the kernel and the machine are told", () => {
  const names = new Uint8Array(390), state = new BigUint64Array(14);
  succeeds("uname", names);
  assert.match(textOf(names), /^Linux\0/);
  succeeds("sysinfo", bytesOf(state));
  assert.ok(state[0] < 2n ** 32n && state[4] > 2n ** 20n);
});

test("used time is told, of this process and of children", () => {
  const usage = new BigInt64Array(18);
  succeeds("getrusage", 0, bytesOf(usage));
  assert.ok(usage[0] + usage[1] + usage[2] + usage[3] > 0n && usage[4] > 1000n);
  succeeds("getrusage", -1, bytesOf(usage));
  failsWith("EINVAL", "getrusage", 7, bytesOf(usage));
  assert.ok(succeeds("times", bytesOf(usage)) > 0);
});

test("priorities are told and set", () => {
  const USER = 2, PROCESS = 0;
  const thread = succeeds("gettid");
  const before = succeeds("getpriority", PROCESS, thread);
  succeeds("setpriority", PROCESS, thread, 5);
  assert.equal(succeeds("getpriority", PROCESS, thread), 15);
  succeeds("setpriority", PROCESS, thread, 20 - before);
  assert.equal(succeeds("getpriority", PROCESS, thread), before);
  succeeds("getpriority", USER, 0);
  failsWith("EINVAL", "getpriority", 9, 0);
  failsWith("ESRCH", "getpriority", PROCESS, 2 ** 22 - 1);
});

test("processes belong to groups and sessions", () => {
  const group = succeeds("getpgid", 0);
  assert.equal(succeeds("getpgid", process.pid), group);
  assert.ok(succeeds("getsid", 0) >= 0);
  failsWith("ESRCH", "getpgid", 2 ** 22 - 1);
  failsWith("ESRCH", "getsid", 2 ** 22 - 1);
  failsWith("EINVAL", "setpgid", 0, -1);
  failsWith("ESRCH", "setpgid", 2 ** 22 - 1, 0);
});

test("a signal to nobody is an error, as is one that is none", () => {
  succeeds("kill", process.pid, 0);
  failsWith("ESRCH", "kill", 2 ** 22 - 1, 0);
  failsWith("EINVAL", "kill", process.pid, 65);
  failsWith("EINVAL", "tgkill", -1, 1, 0);
  failsWith("ESRCH", "tgkill", process.pid, 2 ** 22 - 1, 0);
});

test("a process that is no child is not waited for", () => {
  failsWith("ECHILD", "waitid", 1, process.pid, new Uint8Array(128), 4, 0);
  failsWith("EINVAL", "waitid", 9, 0, new Uint8Array(128), 4, 0);
  failsWith("EINVAL", "waitid", 1, process.pid, new Uint8Array(128), 0, 0);
  failsWith("ECHILD", "wait4", process.pid, 0, 1, 0);
  failsWith("EINVAL", "wait4", -1, 0, 0x100, 0);
});

test("a signal's action is told, and some cannot be set", () => {
  const action = new BigUint64Array(4);
  succeeds("rt_sigaction", 64, 0, bytesOf(action), 8);
  assert.equal(action[0], 0n);
  failsWith("EINVAL", "rt_sigaction", 9, bytesOf(action), 0, 8);
  failsWith("EINVAL", "rt_sigaction", 65, 0, bytesOf(action), 8);
  failsWith("EINVAL", "rt_sigaction", 10, 0, bytesOf(action), 4);
});

test("users and groups of a process are told", () => {
  const three = new Uint32Array(3);
  succeeds("getresuid", bytesOf(three), bytesOf(three.subarray(1)), bytesOf(three.subarray(2)));
  assert.deepEqual([...three], Array(3).fill(process.getuid!()));
  succeeds("getresgid", bytesOf(three), bytesOf(three.subarray(1)), bytesOf(three.subarray(2)));
  assert.deepEqual([...three], Array(3).fill(process.getgid!()));
  const count = succeeds("getgroups", 0, 0);
  if (count > 0) failsWith("EINVAL", "getgroups", count - 1 || -1, new Uint8Array(4 * count));
});

test("a process has a descriptor, which is signalled", () => {
  const fd = succeeds("pidfd_open", process.pid, 0);
  succeeds("pidfd_send_signal", fd, 0, 0, 0);
  failsWith("EINVAL", "pidfd_send_signal", fd, 0, 0, 0x10);
  succeeds("close", fd);
  failsWith("ESRCH", "pidfd_open", 2 ** 22 - 1, 0);
  failsWith("EINVAL", "pidfd_open", -1, 0);
  failsWith("EBADF", "pidfd_send_signal", 9999, 0, 0, 0);
});

test("a mask is set for all, and the one before is told", () => {
  const before = succeeds("umask", 0o1137);
  assert.equal(succeeds("umask", before), 0o137);
});

test("a process is where it is", () => {
  const memory = new Uint8Array(4096);
  const length = succeeds("getcwd", memory, memory.length);
  assert.equal(textOf(memory, length), `${process.cwd()}\0`);
  failsWith("ERANGE", "getcwd", memory, 1);
  assert.equal(systemCall("chdir", cText("/nonexistent")), -2);
});

test("a time that is waited for is of a clock, and right", () => {
  const soon = (nanoseconds: bigint): Uint8Array => bytesOf(BigInt64Array.of(0n, nanoseconds));
  succeeds("clock_nanosleep", 1, 0, soon(1_000_000n), 0);
  failsWith("EINVAL", "clock_nanosleep", 1, 0, soon(1_000_000_000n), 0);
  failsWith("EINVAL", "clock_nanosleep", 99, 0, soon(1n), 0);
  succeeds("nanosleep", soon(1000n), 0);
  failsWith("EINVAL", "nanosleep", soon(-1n), 0);
});
