import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ET_REL,
  R_AARCH64_CALL26,
  R_AARCH64_JUMP26,
  R_X86_64_64,
  R_X86_64_PLT32,
  STT_FUNC,
} from "../../src/elf/constants.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { codeSections } from "../../src/elf/code_sections.ts";
import { scanSection } from "../../src/points/scan.ts";
import { ByteWriter } from "../_support/images/byte_writer.ts";
import { buildElf, codeSection, type SymbolSpec } from "../_support/images/elf_builder.ts";

const TEXT = -0x7f00_0000; // 0xffffffff81000000
const CALLBACK = "__sanitizer_cov_trace_pc";

function pointsOf(file: Uint8Array): { [section: string]: [offset: number, isTailCall: number][] } {
  const elf = elfFileOf(file);
  return Object.fromEntries(
    codeSections(elf).map((section) => {
      const { offset, isTailCall } = scanSection(elf, section);
      return [section.name, Array.from(offset, (at, index) => [at, isTailCall[index]])];
    }),
  );
}

/** x86-64 code: `jump` or call at each offset, to the given offset of the code. */
function x86(
  size: number,
  calls: readonly (readonly [at: number, opcode: number, to: number])[],
): Uint8Array {
  const code = new Uint8Array(size).fill(0x90);
  for (const [at, opcode, to] of calls) {
    code.set(new ByteWriter().u8(opcode).u32((to - at - 5) >>> 0).done(), at);
  }
  return code;
}

function arm64(
  size: number,
  calls: readonly (readonly [at: number, opcode: number, to: number])[],
): Uint8Array {
  const code = new ByteWriter().bytes(new Uint8Array(size));
  for (const [at, opcode, to] of calls) {
    code.patch32(at, (opcode | (to - at) / 4 & 0x3ff_ffff) >>> 0);
  }
  return code.done();
}

test("x86-64: calls of the callback are points wherever they begin, jumps to it tail calls", () => {
  const code = x86(200, [[3, 0xe8, 160], [8, 0xe8, 161], [77, 0xe9, 160], [195, 0xe8, 160]]);
  const file = buildElf({
    sections: [
      codeSection(".text", TEXT, code),
      codeSection(".init.text", TEXT + 0x1000, x86(10, [[1, 0xe8, 160 - 0x1000]])),
    ],
    symbols: [{ name: CALLBACK, section: ".text", value: TEXT + 160 }],
  });
  assert.deepEqual(pointsOf(file), {
    ".text": [[3, 0], [77, 1], [195, 0]],
    ".init.text": [[1, 0]],
  });
});

test("arm64: BL and B to the callback or to a veneer for it, forwards and backwards", () => {
  const code = arm64(400, [
    [0, 0x94000000, 200],
    [8, 0x94000000, 204],
    [12, 0x14000000, 200],
    [320, 0x97000000 & 0xfc000000, 200],
    [324, 0x94000000, 380],
  ]);
  const file = buildElf({
    machine: "arm64",
    sections: [codeSection(".text", TEXT, code)],
    symbols: [
      { name: CALLBACK, section: ".text", value: TEXT + 200 },
      { name: `__${CALLBACK}_veneer`, section: ".text", value: TEXT + 380 },
      { name: `${CALLBACK}_other`, section: ".text", value: TEXT + 204 },
    ],
  });
  assert.deepEqual(pointsOf(file), { ".text": [[0, 0], [12, 1], [320, 0], [324, 0]] });
});

test("an image that does not call the callback has no points", () => {
  const sections = [codeSection(".text", TEXT, x86(20, [[0, 0xe8, 10]]))];
  assert.deepEqual(pointsOf(buildElf({ sections })), { ".text": [] });
  const symbols: SymbolSpec[] = [{ name: CALLBACK }];
  assert.deepEqual(pointsOf(buildElf({ sections, symbols })), { ".text": [] });
});

test("a module's points are the relocations of its calls", () => {
  const code = x86(40, [[4, 0xe8, 9], [16, 0xe9, 21], [24, 0xe8, 29]]);
  const relocation = { section: ".text", type: R_X86_64_PLT32, addend: -4 };
  const file = buildElf({
    type: ET_REL,
    sections: [codeSection(".text", 0, code), codeSection(".init.text", 0, x86(8, [[0, 0xe8, 5]]))],
    symbols: [{ name: CALLBACK, type: STT_FUNC }, { name: "printk" }],
    relocations: [
      { ...relocation, offset: 5, symbol: CALLBACK },
      { ...relocation, offset: 17, symbol: CALLBACK },
      { ...relocation, offset: 25, symbol: "printk" },
      { ...relocation, offset: 30, symbol: CALLBACK, type: R_X86_64_64 },
      { ...relocation, offset: 2 ** 31, symbol: CALLBACK },
      { ...relocation, section: ".init.text", offset: 1, symbol: CALLBACK },
    ],
  });
  assert.deepEqual(pointsOf(file), { ".text": [[4, 0], [16, 1]], ".init.text": [[0, 0]] });
});

test("an arm64 module's points are the relocations of its branches", () => {
  const code = arm64(32, [[4, 0x94000000, 4], [12, 0x14000000, 12]]);
  const relocation = { section: ".text", symbol: CALLBACK, addend: 0 };
  const file = buildElf({
    type: ET_REL,
    machine: "arm64",
    sections: [codeSection(".text", 0, code)],
    symbols: [{ name: CALLBACK }],
    relocations: [
      { ...relocation, offset: 4, type: R_AARCH64_CALL26 },
      { ...relocation, offset: 12, type: R_AARCH64_JUMP26 },
    ],
  });
  assert.deepEqual(pointsOf(file), { ".text": [[4, 0], [12, 1]] });
});
