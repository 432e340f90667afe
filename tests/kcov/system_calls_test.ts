import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { KCOV_CALL, KCOV_CALL_COMPAT, KCOV_CALL_X32 } from "../../src/kcov/origin.ts";
import {
  callNames,
  callsNamed,
  isSystemCall,
  systemCallName,
} from "../../src/kcov/system_calls.ts";

/** Folders of headers of Debian's linux-libc-dev and of its packages for other architectures, where they are installed. */
const HEADERS = [
  ["x86_64", 0, "/usr/include/x86_64-linux-gnu", "unistd_64.h", []],
  ["x86_64", KCOV_CALL_COMPAT, "/usr/include/x86_64-linux-gnu", "unistd_32.h", []],
  ["x86_64", KCOV_CALL_X32, "/usr/include/x86_64-linux-gnu", "unistd_x32.h", []],
  ["aarch64", 0, "/usr/aarch64-linux-gnu/include", "unistd.h", []],
  ["aarch64", KCOV_CALL_COMPAT, "/usr/arm-linux-gnueabihf/include", "unistd.h", [
    "-D__ARM_EABI__",
    "-m32",
  ]],
  ["riscv64", 0, "/usr/riscv64-linux-gnu/include", "unistd.h", []],
  ["riscv64", KCOV_CALL_COMPAT, "/usr/riscv64-linux-gnu/include", "unistd.h", ["-m32"]],
] as const;

for (const [machine, base, folder, header, options] of HEADERS) {
  const abi = base === 0 ? "" : base === KCOV_CALL_X32 ? ", x32" : ", 32-bit";
  test(`names are those of the headers: ${machine}${abi}`, { skip: !existsSync(folder) }, () => {
    const numbers = headerCalls(folder, header, options);
    assert.ok(numbers.size > 290, `${numbers.size} calls`);
    for (const [number, names] of numbers) {
      const known = systemCallName(machine, base + number).replace(/ \(.+\)$/, "");
      assert.ok(names.includes(known), `${number} is ${names}, not ${known}`);
    }
  });
}

test("calls have their names", () => {
  assert.equal(systemCallName("x86_64", 42), "connect");
  assert.equal(systemCallName("aarch64", 203), "connect");
  assert.equal(systemCallName("riscv64", 259), "riscv_flush_icache");
  assert.equal(systemCallName("x86_64", KCOV_CALL_COMPAT + 295), "openat (32-bit)");
  assert.equal(systemCallName("aarch64", KCOV_CALL_COMPAT + 322), "openat (32-bit)");
  assert.equal(systemCallName("riscv64", KCOV_CALL_COMPAT + 222), "mmap2 (32-bit)");
  assert.equal(systemCallName("x86_64", KCOV_CALL_X32 + 257), "openat (x32)");
  assert.equal(systemCallName("x86_64", KCOV_CALL_X32 + 514), "ioctl (x32)");
  for (const machine of ["x86_64", "aarch64", "riscv64"]) {
    assert.equal(systemCallName(machine, 462), "mseal");
    assert.equal(systemCallName(machine, KCOV_CALL_COMPAT + 422), "futex_time64 (32-bit)");
  }
});

test("what is no system call has a name too", () => {
  const names = Object.values(KCOV_CALL).map((call) => {
    assert.ok(!isSystemCall(call));
    return systemCallName("x86_64", call);
  });
  assert.deepEqual(names, [
    "between calls",
    "page fault",
    "signal delivery",
    "exec",
    "exit",
    "page fault of code loading",
  ]);
  assert.equal(systemCallName("x86_64", 0xfff), "call 0xfff");
});

test("a number without a name stays a number", () => {
  assert.equal(systemCallName("x86_64", 999), "system call 999");
  assert.equal(systemCallName("x86_64", KCOV_CALL_COMPAT + 999), "system call 999 (32-bit)");
  assert.equal(systemCallName("x86_64", 415), "system call 415");
  assert.equal(systemCallName("sparc64", 3), "system call 3");
  assert.equal(systemCallName("constructor", 3), "system call 3");
  assert.equal(systemCallName("aarch64", KCOV_CALL_X32 + 3), "system call 3 (x32)");
});

test("a name gives its calls in all ABIs", () => {
  assert.deepEqual(callsNamed("x86_64", "ioctl"), [
    16,
    KCOV_CALL_COMPAT + 54,
    // Unused there: x32 has a number of its own for what differs.
    KCOV_CALL_X32 + 16,
    KCOV_CALL_X32 + 514,
  ]);
  assert.deepEqual(callsNamed("x86_64", "exit"), [
    60,
    KCOV_CALL_COMPAT + 1,
    KCOV_CALL_X32 + 60,
    KCOV_CALL.exit,
  ]);
  assert.deepEqual(callsNamed("x86_64", "page fault"), [KCOV_CALL.pageFault]);
  assert.deepEqual(callsNamed("x86_64", "conect"), []);
  const names = callNames("riscv64");
  for (const name of ["connect", "mmap2", "signal delivery"]) assert.ok(names.includes(name), name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(!names.includes(""));
});

/** Numbers and names, more than one where there are aliases, of each `__NR_…` of a header: the macros that the compiler has after it. */
function headerCalls(
  folder: string,
  header: string,
  options: readonly string[],
): Map<number, string[]> {
  const text = execFileSync("gcc", [
    ...["-E", "-dM", "-nostdinc", "-U__x86_64__", ...options],
    ...["-I", folder, "-I", "/usr/include", "-x", "c", "-"],
  ], { input: `#include <asm/${header}>\n`, encoding: "utf8" });
  const macros = new Map(
    [...text.matchAll(/^#define (\w+) (.+)$/gm)].map(([, name, value]) => [name!, value!]),
  );
  // In x32 the bit that marks the ABI is no part of the number.
  macros.set("__X32_SYSCALL_BIT", "0");
  const numberOf = (value: string): number =>
    value.replaceAll(/[()]/g, "").split("+").map((part) => part.trim()).reduce(
      (sum, part) =>
        sum + (/^(?:\d+|0x[\da-f]+)$/.test(part) ? Number(part) : numberOf(macros.get(part)!)),
      0,
    );
  const numbers = new Map<number, string[]>();
  for (const [name, value] of macros) {
    const call = /^__NR_([a-z_][a-z\d_]*)$/.exec(name)?.[1];
    if (call === undefined || NO_CALLS.has(call)) continue;
    const number = numberOf(value);
    numbers.set(number, [...numbers.get(number) ?? [], call]);
  }
  return numbers;
}

/** Macros that only look like a call. */
const NO_CALLS = new Set(["syscalls", "arch_specific_syscall"]);
