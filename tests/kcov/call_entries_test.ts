import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallEntries, callEntries } from "../../src/kcov/call_entries.ts";
import { KCOV_CALL, KCOV_HOW, KCOV_HOW_SHIFT } from "../../src/kcov/origin.ts";
import { systemCallName } from "../../src/kcov/system_calls.ts";

const TASK_WORK = KCOV_HOW.taskWork << KCOV_HOW_SHIFT | KCOV_CALL.none;

/** Functions of 16 bytes each, one behind the other. */
function entriesOf(names: readonly string[], machine: string): CallEntries {
  return callEntries(
    names.map((name, at) => ({ name, start: 16 * at, end: 16 * at + 16 })),
    machine,
  );
}

/** By function, the name of the call that begins there. */
function calls(names: readonly string[], machine: string): Record<string, string> {
  const { start, end, origin } = entriesOf(names, machine);
  return Object.fromEntries(Array.from(origin, (from, at) => {
    assert.equal(end[at] - start[at], 16);
    return [names[start[at] / 16], systemCallName(machine, from & 0xfff)];
  }));
}

test("wrappers begin the calls of their machine, and what they call begins none", () => {
  const own = ["connect", "newfstatat", "sendfile64", "newuname", "umount", "newfstat"];
  const expected = ["connect", "newfstatat", "sendfile", "uname", "umount2", "fstat"];
  for (
    const [machine, prefix] of [["x86_64", "__x64_sys_"], ["aarch64", "__arm64_sys_"]] as const
  ) {
    const names = own.map((name) => prefix + name);
    const inner = [
      "__se_sys_connect",
      "__do_sys_connect",
      "ksys_read",
      "vfs_read",
      "sys_imageblit",
      "____sys_sendmsg",
      "__traceiter_sys_enter",
    ];
    assert.deepEqual(
      calls([...names, ...inner], machine),
      Object.fromEntries(names.map((name, at) => [name, expected[at]])),
    );
  }
});

test("without wrappers calls begin in what would be called, by whichever of its names", () => {
  const names = [
    "sys_read",
    "__se_sys_write",
    "__do_sys_newfstatat",
    "ksys_read",
    "proc_sys_read",
    "____sys_sendmsg",
    "__sys_sendto",
  ];
  assert.deepEqual(calls(names, "x86_64"), {
    sys_read: "read",
    __se_sys_write: "write",
    __do_sys_newfstatat: "newfstatat",
  });
});

test("what may be of another ABI, or has no number, begins a call that is not known", () => {
  const names = ["__x64_sys_read", "__ia32_sys_read", "__ia32_compat_sys_ioctl", "__x64_sys_frob"];
  assert.deepEqual(calls(names, "x86_64"), {
    __x64_sys_read: "read",
    __ia32_sys_read: "between calls",
    __ia32_compat_sys_ioctl: "between calls",
    __x64_sys_frob: "between calls",
  });
  assert.deepEqual(calls(["__arm64_compat_sys_ioctl", "__arm64_sys_ioctl"], "aarch64"), {
    __arm64_compat_sys_ioctl: "between calls",
    __arm64_sys_ioctl: "ioctl",
  });
});

test("signals, exits and task work begin in functions of their own; page faults make all unknown", () => {
  const names = [
    "get_signal",
    "do_exit",
    "task_work_run",
    "handle_mm_fault",
    "find_vma",
    // Those of x86-64 that come before them.
    "arch_do_signal_or_restart",
    "kmmio_fault",
    "fault_in_kernel_space",
    "switch_fpu_return",
    "vfs_read",
  ];
  assert.deepEqual([...entriesOf(names, "x86_64").origin], [
    KCOV_CALL.signal,
    KCOV_CALL.exit,
    TASK_WORK,
    KCOV_CALL.none,
    KCOV_CALL.none,
    KCOV_CALL.signal,
    KCOV_CALL.none,
    KCOV_CALL.none,
    KCOV_CALL.none,
  ]);
});

test("a function that stands for several calls tells none of them", () => {
  const { start, origin } = callEntries([
    { name: "sys_ni_syscall", start: 16, end: 32 },
    { name: "sys_acct", start: 16, end: 32 },
    { name: "sys_rseq", start: 16, end: 32 },
    { name: "sys_read", start: 32, end: 48 },
  ], "x86_64");
  assert.deepEqual([...start], [16, 32]);
  assert.deepEqual(Array.from(origin, (from) => systemCallName("x86_64", from)), [
    "between calls",
    "read",
  ]);
});

test("parts of a function are its own, and of several names of one the one that tells more counts", () => {
  const { start, origin } = callEntries([
    { name: "__x64_sys_read.cold", start: 90, end: 99 },
    { name: "__ia32_sys_getpid", start: 32, end: 48 },
    { name: "__x64_sys_getpid", start: 32, end: 48 },
    { name: "__do_sys_getpid", start: 32, end: 48 },
    { name: "__x64_sys_write", start: 5, end: 5 },
  ], "x86_64");
  assert.deepEqual([...start], [32, 90]);
  assert.deepEqual(Array.from(origin, (from) => systemCallName("x86_64", from)), [
    "getpid",
    "read",
  ]);
});
