import assert from "node:assert/strict";
import { test } from "node:test";
import { ET_REL, STT_FUNC, STT_NOTYPE } from "../../src/elf/constants.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { readSymbolNames, symbolAt } from "../../src/elf/symbol_names.ts";
import { buildElf, codeSection, type ElfSpec } from "../_support/images/elf_builder.ts";

const TEXT = 0x1000, INIT = 0x2000, REPLACEMENT = 0x2020;

/** What stands at addresses of a file: names, and `undefined` where none does. */
function namesAt(spec: ElfSpec, addresses: readonly number[]): (string | undefined)[] {
  const elf = elfFileOf(buildElf(spec));
  const names = [undefined, Float64Array.from(addresses).sort()].map((wanted) => {
    const symbols = readSymbolNames(elf, 0, wanted);
    return addresses.map((address) => {
      const symbol = symbolAt(symbols, address);
      return symbol < 0 ? undefined : symbols.nameAt(symbol);
    });
  });
  assert.deepEqual(names[1], names[0], "all symbols, and those of the addresses alone");
  return names[0];
}

for (
  const [machine, marks, names] of [
    ["arm64", ["$x", "$d", "$x.7", "$d.realdata", ".Ltmp3"], ["$xyz", "$t", "$"]],
    ["riscv64", ["$x", "$d", "$x.7", "$xrv64imac_zicsr2p0", ".L0"], ["x$", "L0"]],
  ] as const
) {
  test(`mapping symbols of ${machine} name no function, in a linked image and in a module`, () => {
    for (const type of [undefined, ET_REL]) {
      for (const mark of [...marks, ...names]) {
        const local = { section: ".text", type: STT_NOTYPE, isLocal: true };
        const start = type === ET_REL ? 0 : TEXT;
        const found = namesAt({
          type,
          machine,
          sections: [codeSection(".text", start, new Uint8Array(32))],
          symbols: [
            { name: "whole", section: ".text", value: start, size: 16, type: STT_FUNC },
            { name: mark, value: start, ...local },
            { name: mark, value: start + 8, ...local },
            { name: mark, value: start + 16, ...local },
          ],
        }, [start, start + 8, start + 16, start + 31]);
        const isName = (names as readonly string[]).includes(mark);
        assert.deepEqual(
          found,
          isName ? ["whole", mark, mark, mark] : ["whole", "whole", undefined, undefined],
          mark,
        );
      }
    }
  });

  test(`functions of ${machine} may have the names of mapping symbols`, () => {
    const symbols = marks.map((name, at) => ({ name, section: ".text", value: TEXT + 4 * at }));
    const sections = [codeSection(".text", TEXT, new Uint8Array(4 * marks.length))];
    assert.deepEqual(
      namesAt({ machine, sections, symbols }, symbols.map(({ value }) => value)),
      [...marks],
    );
  });
}

test("a symbol outside an address's own section names nothing", () => {
  const none = { type: STT_NOTYPE };
  const found = namesAt({
    sections: [
      codeSection(".text", TEXT, new Uint8Array(32)),
      codeSection(".init.text", INIT, new Uint8Array(16)),
      codeSection(".altinstr_replacement", REPLACEMENT, new Uint8Array(16)),
    ],
    symbols: [
      { name: "_stext", section: ".text", value: TEXT, ...none },
      // Longer than its section, as only damage makes it.
      { name: "long", section: ".text", value: TEXT + 8, size: INIT },
      { name: "init", section: ".init.text", value: INIT, ...none },
      { name: "_einittext", section: ".init.text", value: INIT + 16, ...none },
      { name: "stray", section: ".text", value: REPLACEMENT + 8, size: 4 },
    ],
  }, [
    ...[TEXT - 1, TEXT, TEXT + 7, TEXT + 8, TEXT + 31, TEXT + 32],
    ...[INIT, INIT + 15, INIT + 16, REPLACEMENT, REPLACEMENT + 8, REPLACEMENT + 15],
  ]);
  assert.deepEqual(found, [
    ...[undefined, "_stext", "_stext", "long", "long", undefined],
    ...["init", "init", undefined, undefined, undefined, undefined],
  ]);
});

test("a section's first symbol counts where the mark of the end of the section before it has its address", () => {
  const found = namesAt({
    sections: [
      codeSection(".text", TEXT, new Uint8Array(16)),
      codeSection(".noinstr.text", TEXT + 16, new Uint8Array(16)),
    ],
    symbols: [
      { name: "f", section: ".text", value: TEXT },
      { name: "next", section: ".noinstr.text", value: TEXT + 16 },
      // The last in the file would count, if it were in the section.
      { name: "_etext", section: ".text", value: TEXT + 16, type: STT_NOTYPE },
    ],
  }, [TEXT + 15, TEXT + 16, TEXT + 31]);
  assert.deepEqual(found, ["f", "next", "next"]);
});
