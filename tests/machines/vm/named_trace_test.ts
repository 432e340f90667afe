import assert from "node:assert/strict";
import { test } from "node:test";
import type { SymbolTable } from "../../../src/elf/symbols.ts";
import { kernelEvents } from "../../../src/machines/guest/kernel_log.ts";
import { namedCalls } from "../../../src/machines/guest/named_trace.ts";

/** A table of functions: name, address, size. */
function table(...functions: readonly (readonly [string, number, number])[]): SymbolTable {
  return {
    indexesOf: (name: string) => functions.flatMap(([own], index) => own === name ? [index] : []),
    address: functions.map(([, address]) => address),
    size: functions.map(([, , size]) => size),
    section: functions.map(() => 1),
  } as unknown as SymbolTable;
}

const SYMBOLS = table(
  ["vfs_write", -0x7f000000, 0x6b0],
  ["show", -0x7e000000, 0x20],
  ["show", -0x7d000000, 0x3e],
  ["panic", -0x7c000000, 0x570],
  ["bad", -0x7b000000, 0x30],
);

const X86 = `CPU: 0 UID: 0 PID: 40 Comm: sh Not tainted 6.12.117 #2
Call Trace:
 <TASK>
 panic+0x4e4/0x570
 ? _printk+0x6b/0x90
 show+0x1a/0x40
 <IRQ>
 own_write+0x10/0x20 [ext4]
 </IRQ>
 vfs_write+0x159/0x6c0
RIP: 0033:0x7f2a33219350
Code: 40 00 48
 show+0x1/0x2
 </TASK>`.split("\n");

test("functions of a trace are found whatever the kernel was moved by", () => {
  assert.deepEqual(namedCalls(X86, SYMBOLS), [
    { address: -0x7c000000 + 0x4e4, isFault: false, isSure: true },
    // Two of that name: the size, which counts the space after it too, tells.
    { address: -0x7d000000 + 0x1a, isFault: false, isSure: true },
    { address: 0, isFault: false, isSure: true, name: "own_write [ext4]" },
    { address: -0x7f000000 + 0x159, isFault: false, isSure: true },
  ]);
});

test("the place of a fault comes first, on both architectures", () => {
  const trace = ["Call trace:", " vfs_write+0x159/0x6c0 (P)", "Code: 1 2"];
  for (const at of ["RIP: 0010:bad+0x9/0x30", "pc : bad+0x9/0x30"]) {
    assert.deepEqual(namedCalls([at, "lr : show+0x1/0x40", ...trace], SYMBOLS), [
      { address: -0x7b000000 + 9, isFault: true, isSure: true },
      { address: -0x7f000000 + 0x159, isFault: false, isSure: true },
    ]);
  }
  assert.deepEqual(namedCalls(["no trace"], SYMBOLS), []);
});

test("a bug of such a kernel is one event with its Oops, a panic that follows another", () => {
  const log = `[    1.000000] BUG: kernel NULL pointer dereference, address: 0000000000000008
[    1.000000] #PF: supervisor write access in kernel mode
[    1.000000] Oops: Oops: 0002 [#1] PREEMPT SMP
[    1.000000] RIP: 0010:bad+0x9/0x30
[    1.000000] ---[ end trace 0000000000000000 ]---
[    2.000000][   T40] kernel BUG at fs/own.c:12!
[    2.000000][   T40] Oops: invalid opcode: 0000 [#1]
[    2.000000][   T40] ---[ end trace 0000000000000000 ]---
[    3.000000] Oops: general protection fault, probably for non-canonical address 0x1: 0000 [#1]
[    3.000000] ---[ end trace 0000000000000000 ]---
[    3.100000] Kernel panic - not syncing: Fatal exception
`;
  assert.deepEqual(kernelEvents(log, true).map(({ kind, what }) => [kind, what]), [
    ["bug", "BUG: kernel NULL pointer dereference, address: 0000000000000008"],
    ["bug", "kernel BUG at fs/own.c:12!"],
    ["bug", "general protection fault, probably for non-canonical address 0x1: 0000 [#1]"],
    ["panic", "Fatal exception"],
  ]);
});
