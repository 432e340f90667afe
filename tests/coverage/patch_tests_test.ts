import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import {
  type PatchAnswer,
  type PatchOptions,
  whichPatch,
} from "../../src/coverage/patch/patch_tests.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";

const WRITES = 0, READS = 1, SOCKET = 2;

function ask(patch: string, options?: PatchOptions, flags: Partial<TestRecord> = {}): PatchAnswer {
  const index = smallKernel();
  const records = [
    buildRecord(index, "writes", [0x10, 0x100, 0x120, 0x140]),
    buildRecord(index, "reads", [0x10, 0x200, 0x220]),
    buildRecord(index, "socket", [0x400], [1], flags),
  ];
  const lookup = new TestLookup(new RunCoverage(buildUniverse(index), records));
  return whichPatch(lookup, parsePatch(patch), options);
}

/** A patch of `file` that replaces line `line`, with a line of context on both sides. */
function replacing(file: string, line: number): string {
  return `--- a/${file}\n+++ b/${file}\n@@ -${line - 1},3 +${line - 1},3 @@\n a;\n-b;\n+c;\n d;\n`;
}

/** A patch of `file` that inserts a line before line `line`. */
function inserting(file: string, line: number, text = "x = 1;"): string {
  return `--- a/${file}\n+++ b/${file}\n@@ -${line - 1},2 +${line - 1},3 @@\n a;\n+${text}\n d;\n`;
}

function picked(answer: PatchAnswer): [number, string][] {
  return answer.tests.map(({ test, reasons }) => [test, reasons[0].closeness]);
}

test("a changed line picks the tests that run it, and no other", () => {
  const answer = ask(replacing("fs/pipe.c", 25));
  assert.deepEqual(picked(answer), [[WRITES, "line"]]);
  assert.deepEqual(answer.tests[0].reasons, [
    { path: "fs/pipe.c", closeness: "line", functions: ["pipe_write"], lines: [25], owners: 1 },
  ]);
  assert.equal(answer.hunks[0].state, "covered");
  assert.deepEqual(answer.runAll, []);
});

test("an insertion picks the tests that run the lines around it", () => {
  assert.deepEqual(picked(ask(inserting("fs/pipe.c", 23))), [[WRITES, "around"]]);
  // Between two functions only the file is left.
  assert.deepEqual(picked(ask(inserting("net/socket.c", 15))), [[SOCKET, "file"]]);
});

test("a line few tests run weighs more than one that many run", () => {
  const answer = ask(replacing("fs/pipe.c", 10) + replacing("fs/pipe.c", 42));
  assert.deepEqual(picked(answer), [[READS, "line"], [WRITES, "line"]]);
  assert.ok(answer.tests[0].score > answer.tests[1].score);
});

test("of tests that run the same lines the one that runs the least else is first", () => {
  const index = smallKernel();
  const records = [
    buildRecord(index, "most", [0x10, 0x100, 0x120, 0x140, 0x200, 0x400]),
    buildRecord(index, "least", [0x120]),
    buildRecord(index, "some", [0x100, 0x120, 0x200]),
  ];
  const lookup = new TestLookup(new RunCoverage(buildUniverse(index), records));
  const answer = whichPatch(lookup, parsePatch(replacing("fs/pipe.c", 25)));
  assert.deepEqual(answer.tests.map(({ test }) => test), [1, 2, 0]);
});

test("an uncovered change names its lines and the tests that come nearest", () => {
  const answer = ask(replacing("net/socket.c", 5));
  assert.equal(answer.hunks[0].state, "uncovered");
  assert.deepEqual(answer.hunks[0].uncovered, [5]);
  assert.deepEqual(picked(answer), [[SOCKET, "function"]]);
  const nobody = ask(replacing("net/socket.c", 30));
  assert.deepEqual(nobody.tests, []);
  assert.equal(nobody.hunks[0].reason, "no test enters the function");
});

test("what cannot be judged needs every test, with the reason", () => {
  for (
    const [file, reason] of [
      ["fs/Kconfig", "Kconfig"],
      ["fs/Makefile", "build files"],
      ["arch/x86/entry/entry.S", "has no code of arch/x86"],
      ["lib/crypto/chacha.S", "assembly"],
      ["include/asm-generic/vmlinux.lds.h", "linker script"],
      ["include/linux/fs.h", "macros"],
      ["init/made_up.tbl", "not known"],
    ] as const
  ) {
    const answer = ask(replacing(file, 5));
    const text = `${answer.runAll.map((entry) => entry.reason)}${answer.hunks[0].reason}`;
    assert.ok(text.includes(reason), `${file}: ${text}`);
    assert.equal(answer.runAll.length, file.startsWith("arch/") ? 0 : 1);
  }
});

test("a header's inline function is judged like other code, its macros are not", () => {
  const inline = ask(replacing("include/linux/mm.h", 6));
  assert.deepEqual(picked(inline), [[READS, "line"], [WRITES, "line"]]);
  assert.deepEqual(inline.runAll, []);
  assert.equal(ask(replacing("include/linux/mm.h", 50)).runAll.length, 1);
});

test("files outside the image need no test, and say why", () => {
  assert.equal(ask(replacing("Documentation/fs/pipe.rst", 5)).hunks[0].state, "no-effect");
  assert.equal(ask(replacing("tools/testing/x.c", 5)).hunks[0].state, "no-effect");
  const missing = ask(replacing("fs/btrfs/inode.c", 5));
  assert.equal(missing.hunks[0].state, "not-built");
  assert.deepEqual([missing.tests, missing.runAll], [[], []]);
});

test("comments and blank lines need no test", () => {
  for (const text of ["/* why */", " * why", "// why", "", "\t */"]) {
    const answer = ask(inserting("fs/pipe.c", 23, text));
    assert.deepEqual([answer.tests, answer.hunks[0].state], [[], "no-code"], text);
  }
  assert.equal(ask(inserting("fs/pipe.c", 23, "/* a */ x = 1;")).hunks[0].state, "covered");
  assert.equal(ask(inserting("fs/pipe.c", 23, "*p = 1;")).hunks[0].state, "covered");
});

test("the sources tell which side was built and where a hunk has moved", () => {
  const source = Array.from({ length: 60 }, (_, i) => `line ${i + 1};`);
  source[22] = "a;", source[23] = "c;", source[24] = "b;", source[25] = "d;";
  // The built file holds the old text one line further down than the patch says.
  const moved = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -23,3 +23,3 @@\n c;\n-b;\n+e;\n d;\n`;
  const old = ask(moved, { source: () => source });
  assert.deepEqual(picked(old), [[WRITES, "line"]]);
  assert.deepEqual([old.hunks[0].line, old.hunks[0].verified], [24, true]);
  // The built file holds the new text: the patch is applied already.
  const applied = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -24,2 +24,3 @@\n c;\n+b;\n d;\n`;
  const answer = ask(applied, { source: () => source });
  assert.deepEqual(picked(answer), [[WRITES, "line"]]);
  assert.deepEqual(answer.tests[0].reasons[0].lines, [25]);
  const foreign = ask(replacing("fs/pipe.c", 25), { source: () => ["nothing alike"] });
  assert.equal(foreign.hunks[0].verified, false);
  assert.match(foreign.hunks[0].reason, /a guess$/);
});

test("a hunk with little around it is not found where the other side's text stands by chance", () => {
  const source = Array.from({ length: 60 }, (_, i) => `line ${i + 1};`);
  source[23] = "c;", source[24] = "b;", source[25] = "d;";
  // The patch is applied; without the line that it inserts its lines stand elsewhere too.
  source[51] = "c;", source[52] = "d;";
  const inserted = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -24,2 +24,3 @@\n c;\n+b;\n d;\n`;
  const applied = ask(inserted, { source: () => source });
  assert.deepEqual([applied.hunks[0].line, applied.hunks[0].side], [24, "new"]);
  assert.deepEqual(applied.tests[0].reasons[0].lines, [25]);
  // It is not, and what it puts in stands elsewhere.
  source[24] = "e;", source[40] = "b;";
  const replaced = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -25 +25 @@\n-e;\n+b;\n`;
  const old = ask(replaced, { source: () => source });
  assert.deepEqual([old.hunks[0].line, old.hunks[0].side], [25, "old"]);
  // It is, and what it takes away stands elsewhere.
  source[24] = "b;", source[40] = "e;";
  const answer = ask(replaced, { source: () => source });
  assert.deepEqual([answer.hunks[0].line, answer.hunks[0].side], [25, "new"]);
});

test("a hunk with little around it is found by where the others of its file are", () => {
  const source = Array.from({ length: 60 }, (_, i) => `line ${i + 1};`);
  source[9] = "first();", source[24] = "same;", source[18] = "same;";
  // The file has five lines more at its beginning than the patch knows.
  const patch = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -5 +5 @@\n-first();\n+f();\n` +
    `@@ -20 +20 @@\n-same;\n+s();\n`;
  const { hunks } = ask(patch, { source: () => source });
  assert.deepEqual(hunks.map(({ line, side }) => [line, side]), [[10, "old"], [25, "old"]]);
});

test("a patch that is applied in part has each hunk where it is", () => {
  const source = Array.from({ length: 60 }, (_, i) => `line ${i + 1};`);
  source[9] = "new1();", source[24] = "new2();", source[41] = "old3();";
  const hunk = (line: number, n: number): string =>
    `@@ -${line} +${line} @@\n-old${n}();\n+new${n}();\n`;
  const patch = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n${hunk(10, 1)}${hunk(25, 2)}${hunk(42, 3)}`;
  const { hunks } = ask(patch, { source: () => source });
  assert.deepEqual(hunks.map(({ line, side, verified }) => [line, side, verified]), [
    [10, "new", true],
    [25, "new", true],
    [42, "old", true],
  ]);
  // Whoever says which side it is means all of it.
  const said = ask(patch, { source: () => source, side: "new" }).hunks[2];
  assert.deepEqual([said.side, said.verified], ["new", false]);
});

test("tests whose coverage is not whole cannot be ruled out", () => {
  const patch = replacing("fs/pipe.c", 25);
  assert.deepEqual(ask(patch).incomplete, []);
  assert.deepEqual(ask(patch, {}, { truncated: true }).incomplete, [SOCKET]);
  assert.deepEqual(ask(patch, {}, { outcome: "failed" }).incomplete, [SOCKET]);
});

test("paths of a patch made beside or below the kernel's root are found", () => {
  for (const path of ["linux-6.12/fs/pipe.c", "pipe.c"]) {
    const patch = replacing("fs/pipe.c", 25).replaceAll(/[ab]\/fs\/pipe\.c/g, path);
    assert.deepEqual(picked(ask(patch)), [[WRITES, "line"]], path);
  }
});
