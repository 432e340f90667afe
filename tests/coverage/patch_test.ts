import assert from "node:assert/strict";
import { test } from "node:test";
import { type FilePatch, parsePatch } from "../../src/coverage/patch/patch.ts";
import { FormatError } from "../../src/errors.ts";

const GIT = `From 0123 Mon Sep 17 00:00:00 2001
From: A <a@example.org>
Subject: [PATCH] pipe: say --- less

---
 fs/pipe.c | 4 +++-
 1 file changed, 3 insertions(+), 1 deletion(-)

diff --git a/fs/pipe.c b/fs/pipe.c
index 111..222 100644
--- a/fs/pipe.c
+++ b/fs/pipe.c
@@ -10,6 +10,8 @@ static int pipe_write(void)
 a
-b
+B
+BB
 c

 d
+e
 f
@@ -100,3 +102,2 @@
 x
--- y
 z
-- 
2.39.5
`;

test("parsePatch() reads a mail with a git diff, its edits and their lines", () => {
  const [file, ...rest] = parsePatch(GIT);
  assert.equal(rest.length, 0);
  assert.equal(file!.oldPath, "fs/pipe.c");
  assert.deepEqual(file!.hunks.map(({ edits }) => edits), [
    [
      { oldLine: 11, newLine: 11, removed: ["b"], added: ["B", "BB"] },
      { oldLine: 15, newLine: 16, removed: [], added: ["e"] },
    ],
    [{ oldLine: 101, newLine: 103, removed: ["-- y"], added: [] }],
  ]);
  assert.equal(file!.hunks[0].heading, "static int pipe_write(void)");
  assert.deepEqual(file!.hunks[0].oldText, ["a", "b", "c", "", "d", "f"]);
  assert.deepEqual(file!.hunks[0].newText, ["a", "B", "BB", "c", "", "d", "e", "f"]);
});

test("parsePatch() reads new, deleted, renamed and binary files", () => {
  const files = parsePatch(`diff --git a/new.c b/new.c
new file mode 100644
--- /dev/null
+++ b/new.c
@@ -0,0 +1,2 @@
+one
+two
diff --git a/old.c b/old.c
deleted file mode 100644
--- a/old.c
+++ /dev/null
@@ -1 +0,0 @@
-one
diff --git a/from.c b/to.c
similarity index 100%
rename from from.c
rename to to.c
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
diff --git "a/f\\303\\266.c" "b/f\\303\\266.c"
--- "a/f\\303\\266.c"
+++ "b/f\\303\\266.c"
@@ -1 +1 @@
-a
\\ No newline at end of file
+b
\\ No newline at end of file
`);
  const names = ({ oldPath, newPath, binary }: FilePatch): unknown[] => [oldPath, newPath, binary];
  assert.deepEqual(files.map(names), [
    ["", "new.c", false],
    ["old.c", "", false],
    ["from.c", "to.c", false],
    ["logo.png", "logo.png", true],
    ["fö.c", "fö.c", false],
  ]);
  assert.equal(files[0].hunks[0].edits[0].oldLine, 1);
  assert.equal(files[1].hunks[0].edits[0].oldLine, 1);
});

test("parsePatch() reads the output of diff -u without git's lines", () => {
  const files = parsePatch(`diff -ru linux-6.12/fs/a.c linux-new/fs/a.c
--- linux-6.12/fs/a.c\t2025-01-01 00:00:00.000000000 +0000
+++ linux-new/fs/a.c\t2025-01-02 00:00:00.000000000 +0000
@@ -5 +5 @@
-x
+y
Only in linux-new/fs: b.c
--- linux-6.12/fs/c.c\t2025-01-01 00:00:00.000000000 +0000
+++ linux-new/fs/c.c\t2025-01-02 00:00:00.000000000 +0000
@@ -7,0 +8 @@
+z
`);
  assert.deepEqual(files.map(({ oldPath }) => oldPath), ["linux-6.12/fs/a.c", "linux-6.12/fs/c.c"]);
  assert.deepEqual(files[1].hunks[0].edits, [
    { oldLine: 8, newLine: 8, removed: [], added: ["z"] },
  ]);
});

test("parsePatch() refuses what is no patch, and every cut through a hunk", () => {
  assert.deepEqual(parsePatch(""), []);
  assert.throws(() => parsePatch("hello"), FormatError);
  assert.throws(() => parsePatch("--- a/x\n+++ b/x\n@@ bad\n"), FormatError);
  assert.throws(() => parsePatch("@@ -1 +1 @@\n-a\n+b\n"), FormatError);
  assert.throws(() => parsePatch("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n b\n"), FormatError);
  assert.throws(() => parsePatch("diff --cc x\n@@@ -1,1 -1,1 +1,1 @@@\n"), FormatError);
  const lines = GIT.split("\n");
  const first = lines.findIndex((line) => line.startsWith("@@"));
  for (let end = first + 1; end < first + 9; end++) {
    assert.throws(() => parsePatch(lines.slice(0, end).join("\n")), FormatError, `${end} lines`);
  }
});
