import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ARM64_CODE } from "../../src/elf/arm64_code.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { RISCV64_CODE } from "../../src/elf/riscv64_code.ts";
import { X86_CODE } from "../../src/elf/x86_code.ts";
import { ByteWriter } from "../_support/images/byte_writer.ts";
import { Riscv64Images } from "../_support/images/riscv64_image.ts";

/** An instruction of a disassembly: offset in `.text`, its bytes, and its text. */
interface Instruction {
  readonly at: number;
  readonly size: number;
  readonly text: string;
}

/** The C library and a small program, linked statically: every kind of instruction that compilers and people write. */
function staticProgram(): { code: Uint8Array; instructions: Instruction[] } {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-code-"));
  try {
    writeFileSync(join(folder, "a.c"), "int main(int c, char **v) { return c + v[0][0]; }\n");
    execFileSync("gcc", ["-O2", "-static", "a.c", "-o", "a"], { cwd: folder });
    const elf = elfFileOf(readFileSync(join(folder, "a")));
    const text = elf.section(".text");
    assert.ok(text);
    const listing = execFileSync("objdump", ["-d", "-w", "-z", "-j", ".text", "a"], {
      cwd: folder,
      maxBuffer: 1 << 28,
      encoding: "utf8",
    });
    const instructions = [...listing.matchAll(/^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(.*)$/gm)]
      .map(
        ([, address, bytes, body]) => ({
          at: parseInt(address, 16) - text.address,
          size: bytes.trim().split(" ").length,
          text: body,
        }),
      );
    return { code: elf.bytes(text), instructions };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("X86_CODE.blockEnd() stops where objdump shows a jump or return, from any instruction of a C library", () => {
  const { code, instructions } = staticProgram();
  assert.ok(instructions.length > 50_000);
  // From the back: where straight code from each instruction ends.
  let end = code.length, wrong = 0, checked = 0;
  const shown: string[] = [];
  for (let index = instructions.length - 1; index >= 0; index--) {
    const { at, size, text } = instructions[index];
    const stops =
      /^(?:[a-z0-9]+ )*(?:bnd )?(?:notrack )?(?:jmp|jmpq|ret|retq|lret|iret|int3)\b/.test(text) ||
      text.includes("(bad)");
    if (stops || at + size !== instructions[index + 1]?.at) end = at + size;
    checked++;
    if (X86_CODE.blockEnd(code, at, code.length) === end) continue;
    wrong++;
    if (shown.length < 5) {
      shown.push(
        `${at.toString(16)}: ${text}: ${X86_CODE.blockEnd(code, at, code.length)}, not ${end}`,
      );
    }
  }
  assert.deepEqual(shown, [], `${wrong} of ${checked} differ`);
});

test("RISCV64_CODE stops where objdump shows a jump or return, from any instruction of a C library", () => {
  using images = new Riscv64Images();
  const text = elfFileOf(readFileSync(images.staticProgram())).section(".text")!;
  const code = elfFileOf(readFileSync(images.path("static"))).bytes(text);
  const listing = images.instructions("static").filter(({ section }) => section === ".text");
  assert.ok(listing.length > 50_000);
  let end = code.length, returns = 0;
  const wrong: string[] = [];
  for (let index = listing.length - 1; index >= 0; index--) {
    const { at, size, text: body } = listing[index];
    const from = at - text.address;
    const isReturn = /^(?:jalr\tzero,0\(ra\)|c\.jr\tra)/.test(body);
    const stops = /^(?:c\.jr?\t|jalr?\tzero,|[ms]ret\b|c\.unimp)/.test(body);
    if (stops || at + size !== listing[index + 1]?.at) end = from + size;
    const found = RISCV64_CODE.blockEnd(code, from, code.length);
    if (found !== end) wrong.push(`${at.toString(16)}: ${body}: ${found}, not ${end}`);
    if (!stops) continue;
    if (isReturn) returns++;
    if (RISCV64_CODE.isReturn(code, end, []) !== isReturn) {
      wrong.push(`${at.toString(16)}: ${body}, return or not`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(returns > 500);
});

test("RISCV64_CODE takes a jump that ends in the bytes of c.jr ra for no return", () => {
  const code = new ByteWriter().u32(0x8082006f).u32(0x00008067).done();
  assert.equal(RISCV64_CODE.isReturn(code, 4, []), false);
  assert.equal(RISCV64_CODE.isReturn(code, 8, []), true);
  assert.equal(RISCV64_CODE.isReturn(Uint8Array.of(0x82, 0x80), 2, []), true);
});

test("RISCV64_CODE finds c.j where an instruction begins, not where another has its bytes", () => {
  // c.j to 8 at 2, and the same two bytes as the upper half of a lui at 4.
  const code = new ByteWriter().u16(0x0001).u16(0xa019).u32(0xa011_0537).u16(0x8082).done();
  const found: [number, boolean][] = [];
  RISCV64_CODE.scan(code, 8, (...call) => found.push(call));
  RISCV64_CODE.scan(code, 10, (...call) => found.push(call));
  assert.deepEqual(found, [[2, true]]);
});

test("blockEnd() never goes past its limit, whatever the bytes are", () => {
  let seed = 1;
  const code = Uint8Array.from(
    { length: 4096 },
    () => (seed = Math.imul(seed, 0x19660d) + 0x3c6ef35f | 0) >>> 24,
  );
  for (let from = 0; from < code.length; from++) {
    for (const limit of [from, from + 1, from + 7, code.length, code.length + 5]) {
      for (const { blockEnd } of [X86_CODE, RISCV64_CODE]) {
        const end = blockEnd(code, from, limit);
        assert.ok(end >= from && end <= limit, `${from} to ${limit}: ${end}`);
      }
    }
  }
});

test("ARM64_CODE.blockEnd() stops behind branches and returns but not behind calls or conditional branches", () => {
  const words: [number, boolean][] = [
    [0x94000010, false], // bl
    [0xd63f0000, false], // blr x0
    [0x54000040, false], // b.eq
    [0xb4000040, false], // cbz
    [0x36000040, false], // tbz
    [0x14000010, true], // b
    [0xd61f0000, true], // br x0
    [0xd65f03c0, true], // ret
    [0xd65f0bff, true], // retaa
    [0xd71f0801, true], // braa x0, x1
    [0xd69f03e0, true], // eret
  ];
  for (const [word, stops] of words) {
    const code = new ByteWriter().u32(word).u32(0xd503201f).done();
    assert.equal(ARM64_CODE.blockEnd(code, 0, 8), stops ? 4 : 8, word.toString(16));
  }
  assert.equal(ARM64_CODE.blockEnd(new Uint8Array(8), 0, 100), 8);
});
