import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ElfFile, elfFileOf } from "../../../src/elf/elf_file.ts";

/** What has conditions, loops, an inline function, tail calls, a jump table and a second section of code. */
const COVERED = `int table[8];
void other(int);
static inline __attribute__((always_inline)) int twice(int x)
{
	if (x > 3)
		return x * 2;
	return x;
}
void empty(void)
{
}
int branches(int a, int b)
{
	int sum = 0;
	for (int i = 0; i < a; i++) {
		if (i & 1)
			sum += twice(b);
		else
			sum -= table[i & 7];
	}
	switch (b) {
	case 1: return sum;
	case 2: other(sum); return 3;
	case 3: return sum * 7;
	case 9: return sum - 1;
	case 12: table[1] = 4; return 2;
	}
	return sum + 1;
}
void tail(int a)
{
	if (a)
		other(a);
}
__attribute__((section(".init.text"))) int init(int a)
{
	if (a > 2)
		return branches(a, 2);
	return 0;
}
`;

const REST = `void __sanitizer_cov_trace_pc(void) {}
void other(int a) { (void)a; }
void _start(void) {}
`;

/** An instruction of objdump's listing. */
export interface Instruction {
  /** Section and address. */
  readonly section: string;
  readonly at: number;
  readonly size: number;
  /** With the names of the manual rather than short forms. */
  readonly text: string;
}

/** Code for riscv64 from Debian's cross compiler, in a folder of its own. */
export class Riscv64Images implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "kernelcov-riscv64-"));

  constructor() {
    writeFileSync(join(this.folder, "covered.c"), COVERED);
    writeFileSync(join(this.folder, "rest.c"), REST);
    const options = ["-O2", "-g", "-ffreestanding", "-c"];
    this.#run("gcc", ...options, "-fsanitize-coverage=trace-pc", "covered.c");
    this.#run("gcc", ...options, "rest.c");
    // Far enough that a call from .init.text takes two instructions whatever the linker does.
    const link = ["-e", "_start", "-Ttext=0x10000", "--section-start=.init.text=0x4000000"];
    this.#run("ld", ...link, "covered.o", "rest.o", "-o", "relaxed");
    this.#run("ld", "--no-relax", ...link, "covered.o", "rest.o", "-o", "plain");
  }

  /** `covered.o` as a module, or the program that it is linked to: `plain`, or `relaxed`, with calls made shorter. */
  elf(name: "covered.o" | "plain" | "relaxed"): ElfFile {
    return elfFileOf(readFileSync(join(this.folder, name)));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A program with the C library, linked statically. */
  staticProgram(): string {
    writeFileSync(join(this.folder, "main.c"), "int main(int c, char **v) { return v[0][c]; }\n");
    this.#run("gcc", "-O2", "-static", "main.c", "-o", "static");
    return this.path("static");
  }

  /** What objdump shows of the code. */
  instructions(name: string): Instruction[] {
    const listing = this.#run("objdump", "-d", "-w", "-z", "-M", "no-aliases", name);
    let section = "";
    return listing.split("\n").flatMap((line) => {
      section = /^Disassembly of section (.*):$/.exec(line)?.[1] ?? section;
      const match = /^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(.*)$/.exec(line);
      if (match === null) return [];
      const [, address, bytes, text] = match;
      const size = bytes.replaceAll(" ", "").length / 2;
      return [{ section, at: parseInt(address, 16), size, text }];
    });
  }

  /** The relocations of calls that objdump shows. */
  relocations(name: string): { section: string; at: number; symbol: string }[] {
    const parts = this.#run("objdump", "-r", name).split(/^RELOCATION RECORDS FOR \[/m).slice(1);
    return parts.filter((part) => /^\.(?:init\.)?text\]/.test(part)).flatMap((part) =>
      [...part.matchAll(/^([0-9a-f]+) R_RISCV_CALL_PLT +(\S+)$/gm)].map(([, at, symbol]) => ({
        section: part.slice(0, part.indexOf("]")),
        at: parseInt(at, 16),
        symbol,
      }))
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }

  #run(tool: string, ...options: string[]): string {
    return execFileSync(`riscv64-linux-gnu-${tool}`, options, {
      cwd: this.folder,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
  }
}
