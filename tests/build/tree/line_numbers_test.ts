import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { keepLineNumbers } from "../../../src/build/tree/line_numbers.ts";

const ORIGINAL = `/* A comment
 * of two lines. */
int own3 = __LINE__;
#define TWO(a, b) int a = __LINE__; \\
	int b = __LINE__;
int own6 = __LINE__;

const char *text = "/* no comment";
int own9 = __LINE__; /* begins
 goes on */
TWO(own11,
    own11b)
int own13 = __LINE__;
`;

const PATCHED = ORIGINAL
  .replace(" * of two", " * added in a comment\n * of two")
  .replace("\tint b", "\tint added_in_macro; \\\n\tint b")
  .replace("int own6", "int added1 = __LINE__;\nint own6")
  .replace("const char", "int added2 = __LINE__;\nconst char")
  .replace(" goes on", " goes on, longer\n goes on")
  .replace("int own13", "int added3 = __LINE__;\nint added4 = __LINE__;\nint own13");

test("the tree's own lines keep their numbers, and added ones have those of another file", () => {
  const text = keepLineNumbers(ORIGINAL, PATCHED, { own: "fs/a.c", added: "/x/fs/a.patched.c" });
  const output = execFileSync("gcc", ["-E", "-x", "c", "-"], { input: text, encoding: "utf8" });
  const numbers = new Map(
    [...output.matchAll(/int (\w+) = (\d+);/g)].map(([, name, line]) => [name, Number(line)]),
  );
  for (const name of ["own3", "own6", "own9", "own11", "own13"]) {
    assert.equal(numbers.get(name), Number(name.slice(3)), name);
  }
  const lines = PATCHED.split("\n");
  for (const name of ["added1", "added2", "added3", "added4"]) {
    assert.equal(numbers.get(name), lines.findIndex((line) => line.includes(name)) + 1, name);
  }
  const files = [...output.matchAll(/^# \d+ "([^"]+)"/gm)].map(([, file]) => file);
  assert.ok(files.includes("/x/fs/a.patched.c"));
});

test("a file that is as it was has no directive", () => {
  assert.equal(keepLineNumbers(ORIGINAL, ORIGINAL, { own: "a.c", added: "b.c" }), ORIGINAL);
});
