import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePatch } from "../../src/coverage/patch/patch.ts";
import { whichPatch } from "../../src/coverage/patch/patch_tests.ts";
import { textPatch } from "../../src/coverage/patch/text_patch.ts";
import { TestLookup } from "../../src/coverage/questions/test_lookup.ts";
import { loadRun } from "../../src/run/load_run.ts";
import { changedLines, changedLinesText } from "../../src/cli/watch/changed_lines.ts";
import { SmallImage } from "../_support/images/small_image.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const BEFORE = "a\nb\nc\nd\ne\n";

test("two texts give the edits that diff -U0 of them has", () => {
  const after = "a\nB\nB2\nc\ne\nf\n";
  const diff =
    `--- a/fs/x.c\n+++ b/fs/x.c\n@@ -2 +2,2 @@\n-b\n+B\n+B2\n@@ -4 +4,0 @@\n-d\n@@ -5,0 +6 @@\n+f\n`;
  assert.deepEqual(
    textPatch("fs/x.c", BEFORE, after).hunks.flatMap(({ edits }) => edits),
    parsePatch(diff)[0].hunks.flatMap(({ edits }) => edits),
  );
});

test("a file that comes or goes has a name on one side only", () => {
  assert.equal(textPatch("fs/x.c", undefined, BEFORE).oldPath, "");
  assert.equal(textPatch("fs/x.c", BEFORE, undefined).newPath, "");
  assert.deepEqual(textPatch("fs/x.c", BEFORE, BEFORE).hunks, []);
});

test("the tests of a changed line are found by the old text, and lines that ran by the new one", () => {
  using image = new SmallImage();
  const run = image.writeRun("run", [
    image.record("writes", image.pcsOf("pipe_write")),
    image.record("listens", image.pcsOf("unix_listen")),
  ]);
  const { coverage } = loadRun(run, { vmlinux: image.path });
  const text = readFileSync(join(image.folder, "fs/pipe.c"), "utf8");
  const patch = textPatch("fs/pipe.c", text, text.replace("+ 1;", "+ 2;"));
  const answer = whichPatch(new TestLookup(coverage), [patch], {
    side: "old",
    source: () => text.split("\n"),
  });
  assert.deepEqual(answer.tests.map(({ test }) => coverage.tests[test].record.name), ["writes"]);
  const lines = changedLines(coverage, [
    patch,
    textPatch("fs/pipe.c", text, text.replace("count * 2", "count * 3")),
    textPatch("fs/none.c", "a\n", "b\n"),
  ]);
  assert.deepEqual(lines.map(({ ran, missed }) => [ran.length, missed.length]), [
    [1, 0],
    [0, 1],
    [0, 0],
  ]);
  assert.deepEqual(lines.map(changedLinesText), [
    "fs/pipe.c: 1 changed line ran: 12",
    "fs/pipe.c: not run: 18",
    "fs/none.c: no changed line has coverage points of its own",
  ]);
});
