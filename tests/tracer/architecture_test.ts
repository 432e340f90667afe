import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MACHINES } from "../../src/elf/machine.ts";
import { setSystemCall } from "../../src/tracer/tasks/architecture.ts";

const [X86_64, ARM64] = ["x86-64", "arm64"].map((wanted) =>
  MACHINES.find(({ name }) => name === wanted)!.tracing!
);

test("an x86-64 system call sets rax, the six arguments, rip, and keeps the rest", () => {
  const registers = new BigUint64Array(X86_64.registerWords).fill(7n);
  setSystemCall(X86_64, registers, 0x401000n, 257n, [-100n, 2n, 3n]);
  // r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ...
  const minusHundred = 0xffff_ffff_ffff_ff9cn;
  assert.deepEqual(
    [...registers.slice(0, 20)],
    [7n, 7n, 7n, 7n, 7n, 7n, 7n, 0n, 0n, 0n, 257n, 7n, 3n, 2n, minusHundred]
      .concat([0xffff_ffff_ffff_ffffn, 0x401000n, 7n, 7n, 7n]),
  );
  assert.deepEqual([...X86_64.instruction], [0x0f, 0x05]);
});

test("an arm64 system call sets x8, x0 to x5, pc, and keeps the rest", () => {
  const registers = new BigUint64Array(ARM64.registerWords).fill(7n);
  setSystemCall(ARM64, registers, 0xaaaa_0000n, 29n, [1n, 2n, 3n, 4n, 5n, 6n]);
  assert.deepEqual([...registers.slice(0, 9)], [1n, 2n, 3n, 4n, 5n, 6n, 7n, 7n, 29n]);
  assert.equal(registers[32], 0xaaaa_0000n);
  assert.deepEqual([registers[31], registers[33]], [7n, 7n]);
  // svc #0 is 0xd4000001, stored little-endian.
  assert.deepEqual([...ARM64.instruction], [0x01, 0x00, 0x00, 0xd4]);
});

test("both architectures number the calls that came after their common table alike", () => {
  for (const name of ["pidfd_open", "pidfd_getfd", "close_range"] as const) {
    assert.equal(X86_64.systemCalls[name], ARM64.systemCalls[name]);
  }
});

/** Where the headers have what an architecture's table names: the structure, its registers, the instruction. */
const HEADERS = [
  {
    tracing: X86_64,
    prefix: "",
    structure: "struct user_regs_struct",
    header: "sys/user.h",
    registers: ["rip", "rsp", "rax", "rax", "rdi", "rsi", "rdx", "r10", "r8", "r9", "orig_rax"],
    instruction: "syscall",
  },
  {
    tracing: ARM64,
    prefix: "aarch64-linux-gnu-",
    structure: "struct user_pt_regs",
    header: "asm/ptrace.h",
    registers: ["pc", "sp", "regs[8]", "regs[0]"]
      .concat([0, 1, 2, 3, 4, 5].map((register) => `regs[${register}]`)),
    instruction: "svc #0",
  },
] as const;

for (const { tracing, prefix, structure, header, registers, instruction } of HEADERS) {
  const compiler = `${prefix}gcc`;
  test(
    `places of registers and numbers of calls are those of ${compiler}'s headers`,
    () => {
      const calls = Object.entries(tracing.systemCalls);
      const values = [
        `sizeof(${structure}) / 8`,
        ...registers.map((name) => `__builtin_offsetof(${structure}, ${name}) / 8`),
        ...calls.map(([name]) => `__NR_${name}`),
      ];
      const folder = mkdtempSync(join(tmpdir(), "kernelcov-headers-"));
      try {
        const file = (name: string) => join(folder, name);
        writeFileSync(
          file("table.c"),
          `#include <${header}>\n#include <asm/unistd.h>\n` +
            `const unsigned long table[] __attribute__((section(".table"))) = { ${
              values.join(", ")
            } };\n` +
            `__asm__(".section .call, \\"a\\"\\n${instruction}\\n");\n`,
        );
        execFileSync(compiler, ["-c", "-o", file("table.o"), file("table.c")]);
        const bytes = (section: string): Uint8Array => {
          const args = ["-O", "binary", "-j", section, file("table.o"), file("bytes")];
          execFileSync(`${prefix}objcopy`, args);
          return Uint8Array.from(readFileSync(file("bytes")));
        };
        const { programCounter, stackPointer, callNumber, result, restartNumber } = tracing;
        const places = [programCounter, stackPointer, callNumber, result, ...tracing.arguments]
          .concat(restartNumber < 0 ? [] : [restartNumber]);
        assert.deepEqual(
          [...new BigUint64Array(bytes(".table").buffer)],
          [tracing.registerWords, ...places, ...calls.map(([, number]) => number)].map(BigInt),
        );
        assert.deepEqual(bytes(".call"), tracing.instruction);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
}
