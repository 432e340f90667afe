import assert from "node:assert/strict";
import { test } from "node:test";
import { missingTests } from "../../src/coverage/patch/missing_tests.ts";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import {
  judgePatch,
  meetsShare,
  patchShare,
  type PatchVerdict,
  type PatchVerdictOptions,
} from "../../src/coverage/patch/patch_verdict.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import type { TestRecord } from "../../src/record/test_record.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";

const INDEX = smallKernel();

function lookupOf(records: readonly TestRecord[]): TestLookup {
  return new TestLookup(new RunCoverage(buildUniverse(INDEX), [...records]));
}

const LOOKUP = lookupOf([
  buildRecord(INDEX, "writes", [0x10, 0x100, 0x120, 0x140]),
  buildRecord(INDEX, "starts", [0x100]),
  buildRecord(INDEX, "socket", [0x400]),
]);

function judge(patch: string, options?: PatchVerdictOptions): PatchVerdict {
  return judgePatch(LOOKUP, parsePatch(patch), options);
}

/** The lines of a verdict as `number state tests`. */
function linesOf({ files }: PatchVerdict): string[] {
  return files.flatMap(({ lines }) =>
    lines.map(({ line, state, tests, beside }) =>
      `${line} ${state} ${tests}${beside ? " beside" : ""}`
    )
  );
}

/** A patch that puts `added` in the place of `removed` at line `line`, between two lines of context. */
function patchOf(
  file: string,
  line: number,
  removed: readonly string[],
  added: readonly string[],
): string {
  const text = [
    " a;",
    ...removed.map((text) => `-${text}`),
    ...added.map((text) => `+${text}`),
    " z;",
  ];
  return `--- a/${file}\n+++ b/${file}\n@@ -${line - 1},${removed.length + 2} +${line - 1},${
    added.length + 2
  } @@\n${text.join("\n")}\n`;
}

test("of a kernel with the patch the added lines are judged, each by itself", () => {
  const added = ["first();", "", "/* why */", "declared;", "half();", "other();", "same();"];
  const verdict = judge(patchOf("fs/pipe.c", 20, ["gone();"], added), { side: "new" });
  assert.equal(verdict.side, "new");
  assert.deepEqual(linesOf(verdict), [
    "20 covered 2",
    "23 no-code 0",
    "24 no-code 0",
    "25 covered 1",
    "26 covered 1",
  ]);
  const share = patchShare(verdict.counts);
  assert.deepEqual(share, { lines: 3, covered: 3 });
  const missed = judge(patchOf("net/socket.c", 5, [], ["x();"]), { side: "new" });
  assert.deepEqual(linesOf(missed), ["5 uncovered 0"]);
});

test("a line of which a point was not hit is covered in part", () => {
  const lookup = lookupOf([buildRecord(INDEX, "starts", [0x100])]);
  const verdict = judgePatch(lookup, parsePatch(patchOf("fs/pipe.c", 21, [], ["x();"])), {
    side: "new",
  });
  assert.deepEqual(linesOf(verdict), ["21 partial 1"]);
  assert.deepEqual(patchShare(verdict.counts), { lines: 1, covered: 1 });
});

test("of a kernel without the patch those lines are judged that it replaces, and those beside insertions", () => {
  const replaced = judge(patchOf("fs/pipe.c", 25, ["b();"], ["c();", "d();"]), { side: "old" });
  assert.deepEqual(linesOf(replaced), ["25 covered 1"]);
  const inserted = judge(patchOf("fs/pipe.c", 23, [], ["c();"]), { side: "old" });
  assert.deepEqual(linesOf(inserted), [
    "21 covered 2 beside",
    "25 covered 1 beside",
  ]);
  // Two insertions between the same lines do not count them twice.
  const twice = patchOf("fs/pipe.c", 23, [], ["c();"]) + patchOf("fs/pipe.c", 24, [], ["d();"]);
  const [first, second] = parsePatch(twice);
  const both = { ...first, hunks: [...first.hunks, ...second.hunks] };
  assert.equal(linesOf(judgePatch(LOOKUP, [both], { side: "old" })).length, 2);
  // Comments and blank lines are no change.
  assert.deepEqual(linesOf(judge(patchOf("fs/pipe.c", 23, [], ["/* x */", ""]))), []);
});

test("the side is found from the sources, by all hunks together", () => {
  const source = Array.from({ length: 60 }, (_, i) => `line${i + 1};`);
  source[24] = "new();";
  const hunk = (line: number, removed: string, added: string): string =>
    `@@ -${line - 1},3 +${line - 1},3 @@\n ${source[line - 2]}\n-${removed}\n+${added}\n ${
      source[line]
    }\n`;
  const patch = `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n${hunk(25, "old();", "new();")}`;
  const verdict = judge(patch, { source: () => source });
  assert.equal(verdict.side, "new");
  assert.equal(verdict.files[0].uncertain, false);
  assert.equal(verdict.sideKnown, true);
  // Without sources nobody knows.
  assert.equal(judge(patch).sideKnown, false);
  assert.equal(judge(patch, { side: "old" }).sideKnown, true);
  source[24] = "old();";
  assert.equal(judge(patch, { source: () => source }).side, "old");
  source[24] = "neither();";
  assert.equal(judge(patch, { source: () => source }).files[0].uncertain, true);
});

test("a statement's later lines run with its first, if they have no points of their own", () => {
  const source = Array.from({ length: 60 }, () => "x;");
  source[24] = "\tcall(one,";
  source[26] = "\t     three);";
  source[25] = "\t     two,";
  source[27] = "\tint declared;";
  const patch =
    `--- a/net/socket.c\n+++ b/net/socket.c\n@@ -4,1 +4,3 @@\n x;\n+\tcall(one,\n+\t     two);\n`;
  const text = ["", "", "", "x;", "\tcall(one,", "\t     two);", "x;"];
  const [missed, with_] = judge(patch, { side: "new", source: () => text }).files[0].lines;
  assert.deepEqual([missed.state, with_.state], ["uncovered", "uncovered"]);
  const pipe =
    `--- a/fs/pipe.c\n+++ b/fs/pipe.c\n@@ -26,1 +26,3 @@\n     two,\n+\t     three);\n+\tint declared;\n`;
  const verdict = judge(pipe, { side: "new", source: () => source });
  assert.deepEqual(verdict.files[0].lines.map(({ state }) => state), ["covered", "no-code"]);
});

test("files that the kernel lacks, or has without points, are told apart, and build files are not judged", () => {
  const counts = (path: string): string[] =>
    linesOf(judge(patchOf(path, 20, ["old"], ["obj-y += x.o"])));
  assert.deepEqual(counts("drivers/gpu/none.c"), ["0 not-built 0"]);
  assert.deepEqual(counts("arch/arm64/kernel/entry.S"), ["0 not-built 0"]);
  assert.deepEqual(counts("lib/memcpy.S"), ["0 not-instrumented 0"]);
  assert.deepEqual(counts("fs/Makefile"), ["0 unjudged 0"]);
  assert.deepEqual(counts("include/linux/never.h"), ["0 unjudged 0"]);
  assert.deepEqual(counts("Documentation/x.rst"), []);
});

test("a share that nothing can be measured by is not met, unless no code was changed", () => {
  const of = (patch: string): PatchVerdict["counts"] => judge(patch).counts;
  const missing = of(patchOf("drivers/gpu/none.c", 20, ["a"], ["b"]));
  assert.equal(meetsShare(missing, 80), false);
  assert.equal(meetsShare(missing, 0), true);
  assert.equal(meetsShare(of(patchOf("Documentation/x.rst", 20, ["a"], ["b"])), 100), true);
  const half = of(
    patchOf("fs/pipe.c", 25, ["a"], ["b"]) + patchOf("net/socket.c", 5, ["a"], ["b"]),
  );
  assert.equal(meetsShare(half, 50), true);
  assert.equal(meetsShare(half, 50.1), false);
});

test("tests that should have run are those that an earlier run picks, and all where it cannot", () => {
  const run = lookupOf([
    buildRecord(INDEX, "starts", [0x100]),
    buildRecord(INDEX, "socket", [0x400], [1], { outcome: "unfinished" }),
  ]).coverage;
  const ask = (patch: string): ReturnType<typeof missingTests> => {
    const answer = whichPatch(LOOKUP, parsePatch(patch));
    return missingTests(LOOKUP, answer, run);
  };
  const line = ask(patchOf("fs/pipe.c", 20, ["a"], ["b"]));
  assert.deepEqual([line.needed, line.absent, line.unfinished, line.all], [[1, 0], [0], [], false]);
  const socket = ask(patchOf("net/socket.c", 3, ["a"], ["b"]));
  assert.deepEqual([socket.absent, socket.unfinished], [[], [2]]);
  const all = ask(patchOf("fs/Kconfig", 3, ["a"], ["b"]));
  assert.deepEqual([all.needed, all.absent, all.all], [[0, 1, 2], [0], true]);
});
