import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, zstdCompressSync } from "node:zlib";
import { formatAddress } from "../../src/base/address.ts";
import {
  ELFCOMPRESS_ZLIB,
  ELFCOMPRESS_ZSTD,
  ET_REL,
  R_AARCH64_ABS32,
  R_AARCH64_ABS64,
  R_AARCH64_PREL32,
  R_RISCV_32,
  R_RISCV_32_PCREL,
  R_RISCV_64,
  R_X86_64_32,
  R_X86_64_64,
  R_X86_64_PC32,
  SHF_ALLOC,
  SHF_COMPRESSED,
  STT_OBJECT,
} from "../../src/elf/constants.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { buildIdOfNotes } from "../../src/elf/build_id.ts";
import { FormatError } from "../../src/errors.ts";
import { inflate } from "../../src/kernel/image/inflate.ts";
import { ByteWriter } from "../_support/images/byte_writer.ts";
import { buildElf, buildIdNote, codeSection } from "../_support/images/elf_builder.ts";

const TEXT = -0x7f00_0000; // 0xffffffff81000000

function kernel(): Uint8Array<ArrayBuffer> {
  return buildElf({
    sections: [codeSection(".text", TEXT, [0x90, 0xc3]), {
      name: ".comment",
      data: Uint8Array.of(1, 2, 3),
    }],
    symbols: [
      { name: "first", section: ".text", value: TEXT, size: 1 },
      { name: "second", section: ".text", value: TEXT + 1, size: 1, isLocal: true },
      { name: "missing" },
    ],
    buildId: "0123456789abcdef0123456789abcdef01234567",
  });
}

test("sections, symbols and build id of a kernel are read", () => {
  const elf = elfFileOf(kernel());
  assert.equal(elf.header.machine.name, "x86-64");
  assert.equal(elf.isModule, false);
  assert.equal(elf.buildId, "0123456789abcdef0123456789abcdef01234567");
  const text = elf.section(".text");
  assert.ok(text);
  assert.equal(formatAddress(text.address), "0xffffffff81000000");
  assert.deepEqual([...elf.bytes(text)], [0x90, 0xc3]);
  const symbols = elf.symbols();
  assert.deepEqual([1, 2, 3].map((index) => symbols.nameOf(index)), ["first", "second", "missing"]);
  assert.deepEqual([...symbols.address.subarray(1)], [TEXT, TEXT + 1, 0]);
  assert.deepEqual([...symbols.isLocal], [0, 0, 1, 0]);
  assert.deepEqual(symbols.indexesOf("second"), [2]);
  assert.deepEqual(symbols.indexesOf("econd"), []);
});

test("a stripped file has no symbols, and a file without notes no build id", () => {
  const elf = elfFileOf(buildElf({ sections: [codeSection(".text", TEXT, [0xc3])] }));
  assert.equal(elf.symbols().count, 0);
  assert.equal(elf.buildId, "");
});

test("every truncation of a file is a FormatError", () => {
  const whole = kernel();
  for (let length = 0; length < whole.length; length++) {
    assert.throws(
      () => {
        const elf = elfFileOf(whole.slice(0, length));
        for (const section of elf.sections) elf.bytes(section);
        elf.symbols();
      },
      FormatError,
      `at ${length}`,
    );
  }
});

test("every file with one byte changed is read or refused with a FormatError", () => {
  const whole = kernel();
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 0x7f, 0xff]) {
      const changed = whole.slice();
      changed[at] = value;
      try {
        const elf = elfFileOf(changed, inflate);
        for (const section of elf.sections) elf.bytes(section);
        elf.symbols();
      } catch (error) {
        assert.ok(error instanceof FormatError, `byte ${at} as ${value}: ${error}`);
      }
    }
  }
});

test("files of other kinds are refused in words", () => {
  assert.throws(() => elfFileOf(new TextEncoder().encode("#!/bin/sh\n")), /7f 45 4c 46/);
  const bytes = kernel();
  const class32 = bytes.slice();
  class32[4] = 1;
  assert.throws(() => elfFileOf(class32), /64-bit/);
  const powerpc = bytes.slice();
  powerpc[18] = 21;
  assert.throws(() => elfFileOf(powerpc), /machine 21 is none of .*riscv64 \(243\)/);
});

for (
  const [method, type, data] of [
    ["zlib", ELFCOMPRESS_ZLIB, deflateSync(new Uint8Array(5000).fill(7))],
    ["zstd", ELFCOMPRESS_ZSTD, zstdCompressSync(new Uint8Array(5000).fill(7))],
  ] as const
) {
  const compressed = (size: number, bytes: Uint8Array) =>
    buildElf({
      sections: [{
        name: ".debug_info",
        flags: SHF_COMPRESSED,
        data: new ByteWriter().u32(type).u32(0).u64(size).u64(1).bytes(bytes).done(),
      }],
    });
  const read = (file: Uint8Array) => {
    const elf = elfFileOf(file, inflate);
    const section = elf.section(".debug_info");
    assert.ok(section);
    return elf.bytes(section);
  };

  test(`a section compressed with ${method} is expanded`, () => {
    const bytes = read(compressed(5000, data));
    assert.equal(bytes.length, 5000);
    assert.ok(bytes.every((byte) => byte === 7));
  });

  test(`a damaged ${method} section is a FormatError and never grows past its stated size`, () => {
    for (const size of [4999, 5001, 0, 2 ** 40, 2 ** 52]) {
      assert.throws(() => read(compressed(size, data)), FormatError, String(size));
    }
    for (let length = 0; length < data.length; length++) {
      assert.throws(() => read(compressed(5000, data.subarray(0, length))), FormatError);
    }
  });
}

test("a compressed section without a function that expands it is refused", () => {
  const file = buildElf({
    sections: [{
      name: ".debug_info",
      flags: SHF_COMPRESSED,
      data: new ByteWriter().u32(1).u32(0).u64(4).u64(1).u32(0).done(),
    }],
  });
  const elf = elfFileOf(file);
  const section = elf.section(".debug_info");
  assert.ok(section);
  assert.throws(() => elf.bytes(section), /compressed with zlib/);
});

for (
  const [machine, absolute64, absolute32, relative32] of [
    ["x86-64", R_X86_64_64, R_X86_64_32, R_X86_64_PC32],
    ["arm64", R_AARCH64_ABS64, R_AARCH64_ABS32, R_AARCH64_PREL32],
    ["riscv64", R_RISCV_64, R_RISCV_32, R_RISCV_32_PCREL],
  ] as const
) {
  const module = (type: number, offset: number) =>
    buildElf({
      type: ET_REL,
      machine,
      sections: [
        codeSection(".text", 0, new Uint8Array(32)),
        codeSection(".init.text", 0, new Uint8Array(16)),
        { name: ".data", flags: SHF_ALLOC, data: new Uint8Array(8) },
        { name: ".debug_info", data: new Uint8Array(24) },
      ],
      symbols: [
        { name: "f", section: ".text", value: 4 },
        { name: "init", section: ".init.text", value: 2 },
        { name: "d", section: ".data", type: STT_OBJECT },
      ],
      relocations: [
        { section: ".debug_info", offset: 0, type: absolute64, symbol: "f", addend: 3 },
        { section: ".debug_info", offset: 8, type: absolute32, symbol: "init", addend: -1 },
        { section: ".debug_info", offset: 12, type: relative32, symbol: "f", addend: 0 },
        { section: ".debug_info", offset, type, symbol: "f", addend: 0 },
      ],
    });
  const linked = (file: Uint8Array) => {
    const elf = elfFileOf(file);
    const section = elf.section(".debug_info");
    assert.ok(section);
    return { elf, bytes: elf.linkedBytes(section) };
  };

  test(`relocations of a module for ${machine} are applied, each section at addresses of its own`, () => {
    const { elf, bytes } = linked(module(absolute64, 16));
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const init = elf.section(".init.text")?.address ?? 0;
    assert.ok(init >= 32);
    assert.equal(view.getBigInt64(0, true), 7n);
    assert.equal(view.getUint32(8, true), init + 1);
    assert.equal(view.getInt32(12, true), 4 - 12);
    assert.equal(view.getBigInt64(16, true), 4n);
  });

  test(`a relocation of unknown type or outside its section for ${machine} is a FormatError`, () => {
    assert.throws(() => linked(module(9999, 16)), /relocation type 9999/);
    assert.throws(() => linked(module(absolute64, 20)), FormatError);
    assert.throws(() => linked(module(absolute64, 2 ** 40)), FormatError);
  });
}

test("buildIdOfNotes() finds the GNU note among others and refuses notes that are cut short", () => {
  const other = new ByteWriter().u32(6).u32(4).u32(0x101).string("Linux").align(4).u32(0).done();
  const notes = new ByteWriter().bytes(other).bytes(buildIdNote("00ff10")).done();
  assert.equal(buildIdOfNotes(notes), "00ff10");
  assert.equal(buildIdOfNotes(other), undefined);
  for (let length = other.length + 12; length < notes.length - 1; length++) {
    assert.throws(() => buildIdOfNotes(notes.subarray(0, length)), FormatError, String(length));
  }
});
