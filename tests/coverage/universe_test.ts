import assert from "node:assert/strict";
import { test } from "node:test";
import { buildUniverse } from "../../src/coverage/universe.ts";
import { buildIndex, smallKernel } from "../_support/images/index_builder.ts";

test("buildUniverse() counts what can be seen and names what cannot", () => {
  const { counts } = buildUniverse(smallKernel());
  assert.deepEqual(counts, {
    files: 3,
    functions: 8,
    lines: 18,
    points: 11,
    unknownPoints: 1,
    unknownFunctions: 1,
    unknownLines: 2,
    linesPastEnd: 0,
  });
});

test("buildUniverse() gives each function the lines up to the next function of its file", () => {
  const { functions, image } = buildUniverse(smallKernel());
  const owned = [...functions.groupLine.keys()].map((g) => ({
    names: functions.name.slice(functions.groupStart[g], functions.groupStart[g + 1]),
    first: image.lineNumber[functions.groupLine[g]],
    last: functions.groupLastNumber[g],
    lines: functions.groupLineEnd[g] - functions.groupLine[g],
  }));
  assert.deepEqual(owned, [
    { names: ["__do_sys_pipe2", "__x64_sys_pipe2"], first: 10, last: 19, lines: 3 },
    { names: ["pipe_write"], first: 20, last: 39, lines: 4 },
    // The lines of pipe_tail, which cannot be seen, stand behind those of pipe_read but belong to nobody.
    { names: ["pipe_read"], first: 40, last: 49, lines: 5 },
    { names: ["get_page"], first: 5, last: 8, lines: 3 },
    { names: ["sock_read"], first: 3, last: 8, lines: 3 },
    { names: ["show@20"], first: 20, last: 22, lines: 1 },
    { names: ["show@30"], first: 30, last: 32, lines: 1 },
  ]);
});

test("a function whose declaration claims no line starts at its first line", () => {
  const index = buildIndex(
    [
      { name: "f", file: "a.c", line: 10, endLine: 19 },
      { name: "no_lines", file: "a.c", line: 20, endLine: 29 },
      { name: "g", file: "a.c", line: 30 },
    ],
    [
      { offset: 0, frames: [{ function: 0, line: 12 }], claims: [12, 14] },
      { offset: 16, frames: [{ function: 2, line: 33 }], claims: [33] },
    ],
  );
  const { functions, counts } = buildUniverse(index);
  assert.deepEqual(functions.name, ["f", "g"]);
  assert.deepEqual([...functions.groupLine].map((line) => index.lineNumber[line]), [12, 33]);
  assert.deepEqual([...functions.ofImage], [0, -1, 1]);
  assert.equal(counts.functions, 2);
});

test("one inline function seen by two units is one function", () => {
  const index = buildIndex(
    [
      { name: "inline_one", file: "a.h", line: 1, endLine: 3 },
      { name: "inline_one", file: "a.h", line: 1, endLine: 3 },
    ],
    [
      { offset: 0, frames: [{ function: 0, line: 2 }], claims: [2] },
      { offset: 16, frames: [{ function: 1, line: 2 }], claims: [2] },
    ],
  );
  const { functions } = buildUniverse(index);
  assert.deepEqual(functions.name, ["inline_one"]);
  assert.deepEqual([...functions.ofImage], [0, 0]);
});

test("lines past the end of the source are left out and counted", () => {
  const { counts, functions, linePoints } = buildUniverse(smallKernel(), {
    sourceLines: (file) => file === "fs/pipe.c" ? 41 : undefined,
  });
  assert.equal(counts.linesPastEnd, 2);
  assert.equal(counts.lines, 16);
  assert.equal(linePoints.filter((points) => points > 0).length, counts.lines);
  assert.ok(functions.name.includes("pipe_read"));
});
