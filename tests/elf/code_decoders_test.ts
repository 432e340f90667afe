import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type CodeDecoder,
  CONDITIONAL,
  INDIRECT,
  JUMP,
  type Jump,
  NO_JUMP,
  RETURN,
  STOP,
} from "../../src/elf/code_decoder.ts";
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
function staticProgram(): { code: Uint8Array; instructions: Instruction[]; address: number } {
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
    return { code: elf.bytes(text), instructions, address: text.address };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The jump that straight code from an instruction ends in, as a disassembly has it. */
interface ListedJump {
  readonly kind: number;
  readonly target: number;
}

/** Holds the jump that is found from each instruction against the listing; all offsets count from the code's start. */
function compareJumps(
  { findJump }: CodeDecoder,
  code: Uint8Array,
  listing: readonly Instruction[],
  listed: (text: string) => ListedJump | undefined,
): number[] {
  const counts = [0, 0, 0, 0, 0, 0];
  const wrong: string[] = [];
  const jump: Jump = { kind: NO_JUMP, target: -1, end: 0 };
  // From the back: where straight code from each instruction ends.
  let expected = { kind: NO_JUMP, target: -1, end: code.length };
  for (let index = listing.length - 1; index >= 0; index--) {
    const { at, size, text } = listing[index];
    const found = listed(text);
    const isLast = at + size !== listing[index + 1]?.at;
    if (found !== undefined) expected = { ...found, end: at + size };
    else if (isLast) expected = { kind: NO_JUMP, target: -1, end: at + size };
    findJump(code, at, isLast ? at + size : expected.end, [], jump);
    counts[jump.kind]++;
    const isEqual = jump.kind === expected.kind && jump.end === expected.end &&
      (expected.kind !== CONDITIONAL && expected.kind !== JUMP || jump.target === expected.target);
    if (!isEqual) {
      const shown = JSON.stringify([jump, expected]);
      wrong.push(`${at.toString(16)}: ${text}: ${shown}`);
    }
  }
  assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${listing.length} differ`);
  return counts;
}

test("X86_CODE.findJump() finds the jump that objdump shows, from any instruction of a C library", () => {
  const { code, instructions, address } = staticProgram();
  assert.ok(instructions.length > 50_000);
  const counts = compareJumps(X86_CODE, code, instructions, (text) => {
    const body = text.replace(/^(?:(?:bnd|notrack|repz|repnz|cs|ds|data16|rex\.W) )*/, "");
    const [, name, operand] = /^(\S+)\s*(\S*)/.exec(body) ?? [];
    const target = parseInt(operand, 16) - address;
    if (/^(?:ret|lret|iret)q?$/.test(name)) return { kind: RETURN, target: -1 };
    if (name === "int3" || body.includes("(bad)")) return { kind: STOP, target: -1 };
    if (/^jmpq?$/.test(name)) {
      return operand.startsWith("*") ? { kind: INDIRECT, target: -1 } : { kind: JUMP, target };
    }
    if (/^(?:j|loop)/.test(name)) return { kind: CONDITIONAL, target };
    return undefined;
  });
  assert.ok(counts[CONDITIONAL] > 10_000 && counts[JUMP] > 1_000 && counts[RETURN] > 1_000);
});

test("RISCV64_CODE.findJump() finds the jump that objdump shows, from any instruction of a C library", () => {
  using images = new Riscv64Images();
  const text = elfFileOf(readFileSync(images.staticProgram())).section(".text")!;
  const code = elfFileOf(readFileSync(images.path("static"))).bytes(text);
  const listing = images.instructions("static").filter(({ section }) => section === ".text")
    .map(({ at, ...rest }) => ({ at: at - text.address, ...rest }));
  assert.ok(listing.length > 50_000);
  const counts = compareJumps(RISCV64_CODE, code, listing, (body) => {
    const target = parseInt(/([0-9a-f]+)(?: <[^>]*>)?$/.exec(body)?.[1] ?? "", 16) - text.address;
    if (/^(?:jalr\tzero,0\(ra\)|c\.jr\tra)/.test(body) || /^[ms]ret\b/.test(body)) {
      return { kind: RETURN, target: -1 };
    }
    if (/^(?:c\.jr\t|jalr\tzero,)/.test(body)) return { kind: INDIRECT, target: -1 };
    if (/^c\.unimp/.test(body)) return { kind: STOP, target: -1 };
    if (/^(?:c\.j\t|jal\tzero,)/.test(body)) return { kind: JUMP, target };
    if (/^(?:c\.)?b(?:eqz|nez|eq|ne|lt|ge|ltu|geu)\t/.test(body)) {
      return { kind: CONDITIONAL, target };
    }
    return undefined;
  });
  assert.ok(counts[CONDITIONAL] > 10_000 && counts[JUMP] > 1_000 && counts[RETURN] > 500);
});

/** Holds the calls of straight code from each block's first instruction against the listing; how many there are. */
function compareCalls(
  { findJump }: CodeDecoder,
  code: Uint8Array,
  listing: readonly Instruction[],
  listed: (text: string, index: number) => number | undefined,
): { direct: number; pointer: number } {
  const all: number[] = [], expected: number[] = [];
  listing.forEach(({ at, size, text }, index) => {
    const target = listed(text, index);
    if (target !== undefined) expected.push(at + size, target);
  });
  for (let index = 0; index < listing.length;) {
    const calls: number[] = [];
    const { at } = listing[index];
    const jump: Jump = { kind: NO_JUMP, target: -1, end: 0, calls };
    findJump(code, at, code.length, [], jump);
    all.push(...calls);
    const before = index;
    while (index < listing.length && listing[index].at < jump.end) index++;
    if (index === before) index++;
  }
  assert.ok(all.length > 4_000);
  assert.deepEqual(all, expected);
  const pointer = expected.filter((target, at) => at % 2 === 1 && target === -1).length;
  return { direct: expected.length / 2 - pointer, pointer };
}

test("X86_CODE.findJump() tells all calls of a C library, and what they call", () => {
  const { code, instructions, address } = staticProgram();
  const counts = compareCalls(X86_CODE, code, instructions, (text) => {
    const [, operand] =
      /^(?:(?:bnd|notrack|cs|ds|data16|rex\.W|addr32) )*callq?\s*(\S*)/.exec(text) ??
        [];
    if (operand === undefined) return undefined;
    return operand.startsWith("*") ? -1 : parseInt(operand, 16) - address;
  });
  assert.ok(counts.direct > 2_000 && counts.pointer > 50);
});

test("RISCV64_CODE.findJump() tells all calls of a C library, and what they call", () => {
  using images = new Riscv64Images();
  const text = elfFileOf(readFileSync(images.staticProgram())).section(".text")!;
  const code = elfFileOf(readFileSync(images.path("static"))).bytes(text);
  const listing = images.instructions("static").filter(({ section }) => section === ".text")
    .map(({ at, ...rest }) => ({ at: at - text.address, ...rest }));
  const counts = compareCalls(RISCV64_CODE, code, listing, (line, index) => {
    const [, name, operands = ""] = /^(\S+)\s*(.*)$/.exec(line.trim()) ?? [];
    if (name === "jal") {
      const target = /^(?:ra,)?([0-9a-f]+)(?: |$)/.exec(operands)?.[1];
      return target === undefined ? undefined : parseInt(target, 16) - text.address;
    }
    if (name === "c.jalr") return -1;
    if (name !== "jalr" || /^(?:zero|t0),/.test(operands)) return undefined;
    // With the auipc before it: objdump adds where the two lead.
    const before = listing[index - 1].text;
    const base = /^(?:ra,)?(?:-?\d+\()?(\w+)/.exec(operands)?.[1];
    const isPair = new RegExp(`^auipc\\s+${base},`).test(before.trim());
    const led = /# ([0-9a-f]+)/.exec(operands)?.[1];
    return isPair && led !== undefined ? parseInt(led, 16) - text.address : -1;
  });
  assert.ok(counts.direct > 2_000 && counts.pointer > 50);
});

test("RISCV64_CODE finds c.j where an instruction begins, not where another has its bytes", () => {
  // c.j to 8 at 2, and the same two bytes as the upper half of a lui at 4.
  const code = new ByteWriter().u16(0x0001).u16(0xa019).u32(0xa011_0537).u16(0x8082).done();
  const found: [number, boolean][] = [];
  RISCV64_CODE.scan(code, 8, (...call) => found.push(call));
  RISCV64_CODE.scan(code, 10, (...call) => found.push(call));
  assert.deepEqual(found, [[2, true]]);
});

test("findJump() never goes past its limit, whatever the bytes are", () => {
  let seed = 1;
  const code = Uint8Array.from(
    { length: 4096 },
    () => (seed = Math.imul(seed, 0x19660d) + 0x3c6ef35f | 0) >>> 24,
  );
  const jump: Jump = { kind: NO_JUMP, target: -1, end: 0 };
  for (let from = 0; from < code.length; from++) {
    for (const limit of [from, from + 1, from + 7, code.length, code.length + 5]) {
      for (const { findJump } of [X86_CODE, RISCV64_CODE]) {
        findJump(code, from, limit, [], jump);
        assert.ok(jump.end >= from && jump.end <= limit, `${from} to ${limit}: ${jump.end}`);
      }
    }
  }
});

test("ARM64_CODE.findJump() tells jumps, returns and calls apart, and where jumps lead", () => {
  const words: [word: number, kind: number, target?: number][] = [
    [0x94000010, NO_JUMP], // bl
    [0xd63f0000, NO_JUMP], // blr x0
    [0x54000040, CONDITIONAL, 8], // b.eq
    [0x54ffffe0, CONDITIONAL, -4],
    [0xb4000040, CONDITIONAL, 8], // cbz
    [0x35ffffc0, CONDITIONAL, -8], // cbnz, 32 bits
    [0x36000040, CONDITIONAL, 8], // tbz
    [0xb707ffe0, CONDITIONAL, -4], // tbnz
    [0x14000010, JUMP, 64], // b
    [0x17ffffff, JUMP, -4],
    [0xd61f0000, INDIRECT], // br x0
    [0xd65f03c0, RETURN], // ret
    [0xd65f0bff, RETURN], // retaa
    [0xd71f0801, INDIRECT], // braa x0, x1
    [0xd69f03e0, RETURN], // eret
  ];
  const jump: Jump = { kind: NO_JUMP, target: -1, end: 0 };
  for (const [word, kind, target] of words) {
    const code = new ByteWriter().u32(0xd503201f).u32(word).u32(0xd503201f).done();
    ARM64_CODE.findJump(code, 4, 12, [], jump);
    const expected = {
      kind,
      target: target === undefined ? -1 : 4 + target,
      end: kind === NO_JUMP ? 12 : 8,
    };
    assert.deepEqual(jump, expected, word.toString(16));
  }
  ARM64_CODE.findJump(new Uint8Array(8), 0, 100, [], jump);
  assert.deepEqual(jump, { kind: NO_JUMP, target: -1, end: 8 });
  const calls: number[] = [];
  const code = new ByteWriter().u32(0x94000010).u32(0xd63f0000).u32(0x97ffffff).done();
  ARM64_CODE.findJump(code, 0, 12, [], { kind: NO_JUMP, target: -1, end: 0, calls });
  assert.deepEqual(calls, [4, 64, 8, -1, 12, 4]);
});

test("isPadding() takes what assemblers fill up with, and nothing else", () => {
  const { code, instructions } = staticProgram();
  let count = 0;
  for (const { at, size, text } of instructions) {
    const isNop = /^(?:(?:data16|cs) )*(?:nop[wl]?|int3)\b/.test(text) || text === "xchg   %ax,%ax";
    if (isNop) count++;
    // What comes from people's own bytes may be prefixed otherwise.
    if (!isNop) assert.ok(!X86_CODE.isPadding(code, at, at + size), text);
    else assert.ok(X86_CODE.isPadding(code, at, at + size), text);
  }
  assert.ok(count > 1000);
  const nops = new ByteWriter().u32(0xd503201f).u32(0).done();
  assert.ok(ARM64_CODE.isPadding(nops, 0, 8));
  assert.ok(!ARM64_CODE.isPadding(new ByteWriter().u32(0xd65f03c0).done(), 0, 4));
  assert.ok(RISCV64_CODE.isPadding(new ByteWriter().u32(0x13).u16(1).done(), 0, 6));
  assert.ok(!RISCV64_CODE.isPadding(new ByteWriter().u32(0x93).done(), 0, 4));
});
