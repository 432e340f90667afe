import assert from "node:assert/strict";
import { test } from "node:test";
import { linkSteps } from "../../../src/build/tree/link_trace.ts";
import { parseUnitCommand } from "../../../src/build/tree/unit_command.ts";

const LINK = "gcc -m64 -Wl,--script=./arch/um/kernel/vmlinux.lds";
const OBJECTS = "-Wl,--whole-archive vmlinux.a -Wl,--no-whole-archive";

/** The parts of a trace that 6.12 has. */
const TRACE = [
  "  CC      init/main.o",
  "+ scripts/kallsyms .tmp_vmlinux1.syms",
  "+ gcc -D__ASSEMBLY__ -c -o .tmp_vmlinux2.kallsyms.o .tmp_vmlinux2.kallsyms.S",
  `+ ${LINK} -Wl,--strip-debug -o .tmp_vmlinux2 ${OBJECTS} .tmp_vmlinux1.kallsyms.o`,
  `+ ${LINK} -o vmlinux ${OBJECTS} .tmp_vmlinux2.kallsyms.o -lutil`,
  "+ nm -n vmlinux",
  "+ sed -f ./scripts/mksysmap",
];

test("the last link of a trace, and how its table of symbols is made, can be repeated", () => {
  assert.deepEqual(linkSteps(TRACE.join("\n")), {
    link: `${LINK} -o vmlinux ${OBJECTS} .tmp_vmlinux2.kallsyms.o -lutil`,
    symbols: "nm -n vmlinux | sed -f ./scripts/mksysmap",
    table: {
      print: "scripts/kallsyms",
      takesFile: true,
      assembly: ".tmp_vmlinux2.kallsyms.S",
      assemble: "gcc -D__ASSEMBLY__ -c -o .tmp_vmlinux2.kallsyms.o .tmp_vmlinux2.kallsyms.S",
    },
    finish: [],
  });
});

test("a table that is made of standard input, as in 6.1, and options are kept", () => {
  const trace = TRACE.join("\n").replace(
    "scripts/kallsyms .tmp_vmlinux1.syms",
    "scripts/kallsyms --all-symbols",
  );
  const { table } = linkSteps(`${trace}\n+ scripts/sorttable vmlinux`)!;
  assert.deepEqual([table?.print, table?.takesFile], ["scripts/kallsyms --all-symbols", false]);
  assert.deepEqual(linkSteps(`${trace}\n+ scripts/sorttable vmlinux`)!.finish, [
    "scripts/sorttable vmlinux",
  ]);
});

test("symbols that a script prints, as in 6.1, are those that it prints of the image", () => {
  const trace = [
    ...TRACE.filter((line) => !/^\+ (?:nm|sed) /.test(line)),
    "+ sh ./scripts/mksysmap .tmp_vmlinux.kallsyms2 .tmp_vmlinux.kallsyms2.syms",
    "+ sh ./scripts/mksysmap vmlinux System.map",
  ].join("\n");
  const symbols = (text: string): string | undefined => linkSteps(text)?.symbols;
  assert.equal(symbols(trace), "NM=nm sh ./scripts/mksysmap vmlinux /dev/stdout");
  assert.equal(
    symbols(trace.replaceAll("gcc -m64", "ccache clang -m64")),
    "NM=llvm-nm sh ./scripts/mksysmap vmlinux /dev/stdout",
  );
  assert.equal(symbols(trace.replace(" System.map", " other")), undefined);
});

test("an image without a table of symbols is linked alone", () => {
  const trace = TRACE.map((line) => line.replace(/ \.tmp_vmlinux\d\.kallsyms\.o/, ""));
  assert.equal(linkSteps(trace.join("\n"))!.table, undefined);
});

test("what cannot be repeated step by step is left to make", () => {
  for (const line of ["+ pahole -J vmlinux", "+ sorttable -s .tmp_vmlinux.nm-sort vmlinux"]) {
    assert.equal(linkSteps([...TRACE, line].join("\n")), undefined, line);
  }
  assert.equal(linkSteps("  CC      init/main.o\n"), undefined);
  assert.equal(linkSteps(TRACE.join("\n").replaceAll("-m64", "-DX='a b'")), undefined);
});

test("what kbuild notes of an object has its command and the files that it depends on", () => {
  const note = `savedcmd_fs/a.o := gcc -DNAME='"a"' -DSHARP=$(pound) -DDOLLAR=$$ -c -o fs/a.o fs/a.c

source_fs/a.o := fs/a.c

deps_fs/a.o := \\
    $(wildcard include/config/NET) \\
  include/linux/fs.h \\
  /usr/lib/gcc/stddef.h \\
  fs/internal.h \\

fs/a.o: $(deps_fs/a.o)
`;
  const unit = parseUnitCommand(note);
  assert.equal(unit?.command, `gcc -DNAME='"a"' -DSHARP=# -DDOLLAR=$ -c -o fs/a.o fs/a.c`);
  assert.deepEqual(unit?.files, ["fs/a.c", "include/linux/fs.h", "fs/internal.h"]);
  assert.equal(parseUnitCommand(note.replace("savedcmd_", "cmd_"))?.source, "fs/a.c");
  assert.equal(parseUnitCommand("savedcmd_fs/built-in.a := ar cDPrST fs/built-in.a\n"), undefined);
});
