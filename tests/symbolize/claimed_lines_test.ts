import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { elfFileOf } from "../../src/elf/elf_file.ts";
import { buildImageIndex } from "../../src/symbolize/index/build_image_index.ts";

const FOLDER = new URL("../data/claims/", import.meta.url);
const source = readFileSync(new URL("claims.c", FOLDER), "utf8").split("\n");
const index = buildImageIndex(elfFileOf(readFileSync(new URL("image", FOLDER))));

/** The source text of the lines that the point with this number claims, in the order of the file. */
function claimsOf(point: number): string[] {
  return Array.from(
    index.claimLine.subarray(index.claimStart[point], index.claimStart[point + 1]),
    (line) => index.lineNumber[line],
  ).sort((a, b) => a - b).map((number) => source[number - 1].trim());
}

/** Points by the text of the line that they are on. */
function pointsOn(text: string): number[] {
  return Array.from(index.pointOffset, (_, point) => point)
    .filter((point) => source[index.frameLine[index.frameStart[point]] - 1].trim() === text);
}

test("a function's first point claims its declaration and not its opening brace", () => {
  const [entry] = pointsOn("if (value > 100) {");
  assert.deepEqual(claimsOf(entry), [
    "int returns_value(int value)",
    "int error;",
    "if (value > 100) {",
  ]);
});

test("a point claims the lines up to the next point, with those of calls inlined behind it", () => {
  const [point] = pointsOn("return value * 3;");
  const claims = claimsOf(point);
  for (const text of ["error = external(error);", "other(0);", "return value * 3;"]) {
    assert.ok(claims.includes(text), text);
  }
  const [before] = pointsOn("error = positive(external(value));");
  assert.ok(claimsOf(before).includes("static inline int positive(int value)"));
  assert.ok(claimsOf(before).includes("if (value < 0)"));
});

test("a block ends at its return: what stands behind it is not claimed", () => {
  for (const point of pointsOn("other(0);")) {
    assert.ok(!claimsOf(point).includes("error = external(1);"));
  }
});

test("a label is claimed where it is still in the code", () => {
  assert.ok(pointsOn("other(0);").some((point) => claimsOf(point).includes("out:")));
});

test("a label that lost its address is claimed with the statement behind it, and only with that", () => {
  let count = 0;
  for (let point = 0; point < index.pointOffset.length; point++) {
    const claims = claimsOf(point);
    assert.equal(claims.includes("fail:"), claims.includes("other(item_of(error));"));
    if (claims.includes("fail:")) count++;
  }
  assert.ok(count > 0);
});

test("a closing brace is claimed only in a function without a value", () => {
  for (let point = 0; point < index.pointOffset.length; point++) {
    const claims = claimsOf(point);
    assert.equal(claims.includes("}"), claims.includes("item->flags = 1;"));
  }
  assert.equal(pointsOn("item->flags = 1;").length, 1);
});

test("no opening brace, no comment and no empty line is in the universe", () => {
  for (const number of index.lineNumber) {
    assert.doesNotMatch(source[number - 1].trim(), /^\{?$|^\/\*/);
  }
});
