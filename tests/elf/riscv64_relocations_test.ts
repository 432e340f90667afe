import assert from "node:assert/strict";
import { test } from "node:test";
import * as elf from "../../src/elf/constants.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { FormatError } from "../../src/errors.ts";
import { buildElf, codeSection } from "../_support/images/elf_builder.ts";

/** A relocation: type, offset in the section, and the value of its symbol and addend together. */
type Change = readonly [type: number, offset: number, value: number];

function relocated(data: readonly number[], changes: readonly Change[]): number[] {
  const file = elfFileOf(buildElf({
    type: elf.ET_REL,
    machine: "riscv64",
    sections: [
      codeSection(".text", 0, new Uint8Array(0x2000)),
      { name: ".debug_info", data: Uint8Array.from(data) },
    ],
    symbols: [{ name: "f", section: ".text", value: 0x100 }],
    relocations: changes.map(([type, offset, value]) => ({
      section: ".debug_info",
      symbol: "f",
      type,
      offset,
      addend: value - 0x100,
    })),
  }));
  return [...file.linkedBytes(file.section(".debug_info")!)];
}

test("a riscv64 difference is added to and subtracted from its field, whatever the field's size", () => {
  for (
    const [add, subtract, bytes] of [
      [elf.R_RISCV_ADD8, elf.R_RISCV_SUB8, 1],
      [elf.R_RISCV_ADD16, elf.R_RISCV_SUB16, 2],
      [elf.R_RISCV_ADD32, elf.R_RISCV_SUB32, 4],
      [elf.R_RISCV_ADD64, elf.R_RISCV_SUB64, 8],
      [elf.R_RISCV_SET8, elf.R_RISCV_SUB8, 1],
      [elf.R_RISCV_SET16, elf.R_RISCV_SUB16, 2],
      [elf.R_RISCV_SET32, elf.R_RISCV_SUB32, 4],
    ] as const
  ) {
    const zeros = Array.from<number>({ length: bytes }).fill(0);
    const field = (value: number) =>
      zeros.map((_, at) => Number(BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * at) & 0xffn));
    const rest = [0xaa, 0xbb];
    for (const [to, from] of [[0x1234, 0x1204], [0x1204, 0x1234], [0x2fff, 0]]) {
      const changes: Change[] = [[add, 0, to], [subtract, 0, from]];
      const expected = [...field(to - from), ...rest];
      assert.deepEqual(
        relocated([...zeros, ...rest], changes),
        expected,
        `${add}, ${to} - ${from}`,
      );
    }
  }
});

test("riscv64 relocations of 6 bits keep the two bits above", () => {
  const changes: Change[] = [[elf.R_RISCV_SET6, 0, 0x1234], [elf.R_RISCV_SUB6, 0, 0x1206]];
  assert.deepEqual(relocated([0x40, 0x11], changes), [0x40 | 0x2e, 0x11]);
  assert.deepEqual(relocated([0xc0, 0x11], [...changes, [elf.R_RISCV_SUB6, 0, 0x2f]]), [
    0xff,
    0x11,
  ]);
});

test("a riscv64 ULEB128 difference keeps the length of its field", () => {
  const pair = (to: number, from: number): Change[] => [
    [elf.R_RISCV_SET_ULEB128, 1, to],
    [elf.R_RISCV_SUB_ULEB128, 1, from],
  ];
  assert.deepEqual(relocated([7, 0x80, 0x00, 9], pair(0x1234, 0x1034)), [7, 0x80, 0x04, 9]);
  assert.deepEqual(relocated([7, 0x80, 0x80, 0x00, 9], pair(5, 2)), [7, 0x83, 0x80, 0x00, 9]);
  assert.deepEqual(relocated([7, 0x00, 9], pair(0x1234, 0x1230)), [7, 0x04, 9]);
  for (const cut of [[7, 0x80], [7, 0x80, 0x80], [7], Array(12).fill(0x80).concat(0)]) {
    assert.throws(() => relocated(cut, pair(5, 2)), FormatError, String(cut));
  }
});

test("what tells riscv64 linkers to delete or align code leaves data alone", () => {
  const changes: Change[] = [[elf.R_RISCV_RELAX, 0, 5], [elf.R_RISCV_ALIGN, 1, 5], [0, 1, 5]];
  assert.deepEqual(relocated([1, 2], changes), [1, 2]);
});
