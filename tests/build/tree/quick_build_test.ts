import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CompiledUnits } from "../../../src/build/tree/compiled_units.ts";
import type { LinkSteps } from "../../../src/build/tree/link_trace.ts";
import { type QuickBuild, quickBuild, writeSymbols } from "../../../src/build/tree/quick_build.ts";

/** A program in place of a kernel: it prints a value, and whether its table of symbols is that of the image. */
const FILES: Record<string, string> = {
  "fs/value.h": "#define VALUE 1\n",
  "fs/value.c": `#include "value.h"\nint value(void) { return VALUE; }\n`,
  "fs/main.c": `#include <stdio.h>
    extern unsigned long table[];
    int value(void);
    int main(void) { printf("%d %d\\n", value(), table[0] == (unsigned long)value); }
  `,
  "table.sh":
    `echo ".globl table; .data; table: .quad 0x$(cut -d' ' -f1 "$1"); .section .note.GNU-stack"\n`,
  // As kbuild's own, of what gcc notes.
  "scripts/basic/fixdep": `#!/bin/sh
    object=$2 command=$3
    set -- $(sed 's/^[^:]*://; s/\\\\$//' "$1")
    printf 'savedcmd_%s := %s\\n\\nsource_%s := %s\\n\\ndeps_%s := \\\\\\n' "$object" "$command" "$object" "$1" "$object"
    shift
    for file; do printf '  %s \\\\\\n' "$file"; done
  `,
};

const STEPS: LinkSteps = {
  link: "echo >>links; gcc -no-pie -o vmlinux fs/main.o fs/value.o table.o",
  symbols: "nm -n vmlinux | grep ' T value$'",
  finish: [],
  table: {
    print: "sh table.sh",
    takesFile: true,
    assembly: "table.S",
    assemble: "gcc -c -o table.o table.S",
  },
};

/** A build that make has ended. */
class Mirror {
  readonly folder = mkdtempSync(join(tmpdir(), "kernelcov-quick-"));
  readonly #symbols = join(this.folder, "symbols");
  units!: CompiledUnits;

  static async made(): Promise<Mirror> {
    const mirror = new Mirror();
    for (const [path, text] of Object.entries(FILES)) mirror.write(path, text);
    chmodSync(join(mirror.folder, "scripts/basic/fixdep"), 0o755);
    for (const name of ["main", "value"]) {
      const command = `gcc -Wp,-MMD,fs/.${name}.o.d -c -o fs/${name}.o fs/${name}.c`;
      mirror.run(command);
      const note = mirror.run(
        `./scripts/basic/fixdep fs/.${name}.o.d fs/${name}.o '${command}'; rm fs/.${name}.o.d`,
      );
      mirror.write(`fs/.${name}.o.cmd`, note);
    }
    const makeTable = `sh table.sh first >table.S; ${STEPS.table!.assemble}; ${STEPS.link}`;
    mirror.write("first", "0 T value\n");
    mirror.run(`${makeTable}; ${STEPS.symbols} >first; ${makeTable}`);
    await writeSymbols(mirror.folder, STEPS, mirror.#symbols);
    mirror.units = new CompiledUnits(mirror.folder);
    return mirror;
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  run(script: string): string {
    return execFileSync("sh", ["-c", script], { cwd: this.folder, encoding: "utf8" });
  }

  /** How often the image is linked by `body`. */
  async links(body: () => Promise<unknown>): Promise<number> {
    rmSync(join(this.folder, "links"), { force: true });
    await body();
    const links = join(this.folder, "links");
    return existsSync(links) ? readFileSync(links, "utf8").length : 0;
  }

  build(...changed: string[]): Promise<QuickBuild> {
    return quickBuild(this.folder, changed, this.units, STEPS, this.#symbols);
  }

  buildInlines(header: string, functions: readonly string[]): Promise<QuickBuild> {
    const inlines = new Map([[header, functions]]);
    return quickBuild(this.folder, [header], this.units, STEPS, this.#symbols, inlines);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

function sourcesOf(build: QuickBuild): readonly string[] {
  assert.equal(build.kind, "built", JSON.stringify(build));
  return build.kind === "built" ? build.sources : [];
}

test("only what depends on a changed file is compiled, and the table is that of the image", async () => {
  using mirror = await Mirror.made();
  mirror.write("fs/value.c", `#include "value.h"\nint value(void) { return VALUE + 1; }\n`);
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.c")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "2 1\n");
  mirror.write("fs/value.h", "#define VALUE 40\n");
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.h")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "41 1\n");
});

test("the image is linked again only where symbols have moved", async () => {
  using mirror = await Mirror.made();
  await mirror.build("fs/value.c");
  mirror.write("fs/value.h", "#define VALUE 7\n");
  assert.equal(await mirror.links(() => mirror.build("fs/value.h")), 1);
  assert.equal(mirror.run("./vmlinux"), "7 1\n");
  mirror.write("fs/value.c", "int before(void) { return 0; }\nint value(void) { return 8; }\n");
  assert.equal(await mirror.links(() => mirror.build("fs/value.c")), 2);
  assert.equal(mirror.run("./vmlinux"), "8 1\n");
});

test("what a file depends on is noted anew with each compilation", async () => {
  using mirror = await Mirror.made();
  mirror.write("fs/other.h", "#define OTHER 5\n");
  mirror.write("fs/value.c", `#include "other.h"\nint value(void) { return OTHER; }\n`);
  await mirror.build("fs/value.c");
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.h")), []);
  mirror.write("fs/other.h", "#define OTHER 6\n");
  assert.deepEqual(sourcesOf(await mirror.build("fs/other.h")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "6 1\n");
});

test("a compile error is the compiler's message, and no object is left that make would keep", async () => {
  using mirror = await Mirror.made();
  mirror.write("fs/value.c", "int value(void) { return }\n");
  const failed = await mirror.build("fs/value.c");
  assert.equal(failed.kind, "failed");
  assert.match(failed.kind === "failed" ? failed.output : "", /fs\/value\.c:1:\d+: error: /);
  assert.equal(existsSync(join(mirror.folder, "fs/value.o")), false);
  mirror.write("fs/value.c", FILES["fs/value.c"]);
  assert.deepEqual(sourcesOf(await mirror.build("fs/value.c")), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "1 1\n");
});

test("what not only objects depend on is left to make, as are many objects", async () => {
  using mirror = await Mirror.made();
  const note = "savedcmd_scripts/mk := gcc -o scripts/mk scripts/mk.c\n\n" +
    "source_scripts/mk := scripts/mk.c\n\ndeps_scripts/mk := \\\n  fs/value.h \\\n";
  mirror.write("scripts/.mk.cmd", note);
  for (let at = 0; at < 65; at++) {
    const object = `net/u${at}.o`;
    mirror.write(
      `net/.u${at}.o.cmd`,
      `savedcmd_${object} := true\n\nsource_${object} := net/u${at}.c\n\ndeps_${object} := \\\n  net/all.h \\\n`,
    );
  }
  mirror.units = new CompiledUnits(mirror.folder);
  const reasons = await Promise.all(
    ["fs/value.h", "net/all.h", "arch/um/Kconfig"].map((file) => mirror.build(file)),
  );
  assert.deepEqual(
    reasons.map((build) => build.kind === "unable" ? build.reason : build.kind),
    [
      "more than objects depends on fs/value.h",
      "65 objects depend on it",
      "arch/um/Kconfig is no C file",
    ],
  );
});

test("where a header's inline function has changed only what uses it is compiled", async () => {
  using mirror = await Mirror.made();
  const header = (value: number): string =>
    `static inline int one(void)\n{\n\treturn ${value};\n}\nstatic inline int two(void)\n{\n\treturn 2;\n}\n`;
  mirror.write("fs/inline.h", header(1));
  mirror.write("fs/value.c", `#include "inline.h"\nint value(void) { return one(); }\n`);
  mirror.write("fs/main.c", `#include "inline.h"\n${FILES["fs/main.c"]}`);
  await mirror.build("fs/value.c", "fs/main.c");
  mirror.write("fs/inline.h", header(30));
  const build = await mirror.buildInlines("fs/inline.h", ["one"]);
  assert.deepEqual(sourcesOf(build), ["fs/value.c"]);
  assert.equal(mirror.run("./vmlinux"), "30 1\n");
  assert.deepEqual(sourcesOf(await mirror.buildInlines("fs/inline.h", ["two"])), []);
  assert.deepEqual(sourcesOf(await mirror.build("fs/inline.h")).toSorted(), [
    "fs/main.c",
    "fs/value.c",
  ]);
});
