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
import { CompiledUnits } from "../../../src/build/tree/compiled_units.ts";
import type { LinkSteps } from "../../../src/build/tree/link_trace.ts";
import { type QuickBuild, quickBuild, writeSymbols } from "../../../src/build/tree/quick_build.ts";

/** A program in place of a kernel: it prints a value, and whether its table of symbols is that of the image. */
export const FILES: Record<string, string> = {
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

export const STEPS: LinkSteps = {
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
export class Mirror {
  readonly folder: string;
  readonly #symbols: string;
  units!: CompiledUnits;

  private constructor(folder: string) {
    this.folder = folder;
    this.#symbols = join(folder, "symbols");
  }

  static async made(
    files = FILES,
    folder: string = mkdtempSync(join(tmpdir(), "kernelcov-quick-")),
  ): Promise<Mirror> {
    const mirror = new Mirror(folder);
    for (const [path, text] of Object.entries(files)) mirror.write(path, text);
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
