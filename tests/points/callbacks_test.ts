import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { codeSections } from "../../src/elf/code_sections.ts";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { scanSection } from "../../src/points/scan.ts";

const SOURCES = join(import.meta.dirname!, "../data/traced");
const FOLDER = mkdtempSync(join(tmpdir(), "kernelcov-callbacks-"));
after(() => rmSync(FOLDER, { recursive: true }));

const POINT = "__sanitizer_cov_trace_pc";

function clang(args: readonly string[]): void {
  execFileSync("clang-14", args, { cwd: SOURCES });
}

/** An object of a source, compiled with points of a kind; `change` edits the assembly. */
function object(
  target: string,
  kind: string,
  change: (assembly: string) => string = (assembly) => assembly,
): string {
  const assembly = join(FOLDER, "unit.s"), file = join(FOLDER, `${target}-${kind}.o`);
  clang([
    ...[`--target=${target}-linux-gnu`, "-O2", "-ffreestanding", "-fno-pic"],
    ...[`-fsanitize-coverage=${kind}`, "-S", "traced.c", "-o", assembly],
  ]);
  writeFileSync(assembly, change(readFileSync(assembly, "utf8")));
  clang([`--target=${target}-linux-gnu`, "-c", assembly, "-o", file]);
  return file;
}

/** Offsets of the points of an image's code. */
function pointsIn(file: string): number[] {
  const elf = elfFileOf(readFileSync(file));
  return codeSections(elf).flatMap((section) => [...scanSection(elf, section).offset]);
}

/** Offsets of the calls of a callback, as llvm-objdump shows them. */
function listedIn(file: string, callback: RegExp): number[] {
  const listing = execFileSync("llvm-objdump-14", ["-d", "-r", "--no-show-raw-insn", file], {
    encoding: "utf8",
  });
  // A call, then its relocation.
  return [
    ...listing.matchAll(/^ *([0-9a-f]+):.*(?:call|bl|jmp|b)\w*\t.*\n.*\t(\w+)(?:[-+]0x\w+)?$/gm),
  ]
    .filter(([, , name]) => callback.test(name)).map(([, at]) => parseInt(at, 16));
}

/**
 * What a compiler that tells entries and ends apart makes: the first point of each function is of another callback, and
 * there is a call before each return.
 */
function withEntries(assembly: string): string {
  let isFirst = false;
  return assembly.split("\n").flatMap((line) => {
    if (/^[a-z]\w*:/.test(line)) isFirst = true;
    if (/\tret[q]?$/.test(line)) {
      return [
        line.replace(/ret[q]?$/, `${/retq/.test(line) ? "callq" : "bl"}\t${POINT}_exit`),
        line,
      ];
    }
    if (!isFirst || !new RegExp(`(?:call|bl)q?\\t${POINT}(?:@PLT)?$`).test(line)) return [line];
    isFirst = false;
    return [line.replace(POINT, `${POINT}_entry`)];
  }).join("\n");
}

for (const target of ["x86_64", "aarch64"]) {
  test(`the first points of functions are found where they have a callback of their own, on ${target}`, () => {
    const plain = object(target, "trace-pc"), points = pointsIn(plain);
    const file = object(target, "trace-pc", withEntries);
    const entries = listedIn(file, new RegExp(`^${POINT}_entry$`));
    assert.ok(entries.length > 10 && listedIn(file, new RegExp(`^${POINT}_exit$`)).length > 0);
    const found = pointsIn(file);
    // Those of ends are none: as many as without.
    assert.equal(found.length, points.length);
    assert.deepEqual(found, listedIn(file, new RegExp(`^${POINT}(?:_entry)?$`)));
    assert.ok(entries.every((at) => found.includes(at)));
  });

  test(`points with guards are found, on ${target}`, () => {
    const file = object(target, "trace-pc-guard");
    const found = pointsIn(file);
    assert.ok(found.length > 5);
    assert.deepEqual(found, listedIn(file, new RegExp(`^${POINT}_guard$`)));
  });
}

test("points of every callback are found in a linked kernel, the calls of ends left out", () => {
  const callbacks = ["", "_entry", "_exit", "_guard"].map((end) => `${POINT}${end}`);
  const assembly = join(FOLDER, "callbacks.s"), stubs = join(FOLDER, "callbacks.o");
  writeFileSync(assembly, callbacks.map((name) => `.globl ${name}\n${name}: ret\n`).join(""));
  clang(["--target=x86_64-linux-gnu", "-c", assembly, "-o", stubs]);
  const image = join(FOLDER, "linked");
  const points = pointsIn(object("x86_64", "trace-pc")).length;
  const unit = object("x86_64", "trace-pc", withEntries);
  execFileSync("ld.lld-14", [
    "--unresolved-symbols=ignore-all",
    "-Ttext=0x60000000",
    "-e",
    "0",
    "-o",
    image,
    stubs,
    unit,
  ]);
  assert.equal(pointsIn(image).length, points);
});
