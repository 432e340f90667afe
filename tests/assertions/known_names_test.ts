import assert from "node:assert/strict";
import { after, test } from "node:test";
import { checkFileName, checkFunctionName } from "../../src/assertions/known_names.ts";
import { SmallImage } from "../_support/images/small_image.ts";

const image = new SmallImage();
after(() => image[Symbol.dispose]());
const INDEXES = [image.index];

test("a function with coverage points is known, compiled by itself or inlined", () => {
  for (const name of ["pipe_write", "pipe_poll"]) checkFunctionName(INDEXES, name);
});

test("a function that is none is refused with the nearest names", () => {
  assert.throws(() => checkFunctionName(INDEXES, "pipe_wriet"), {
    name: "RangeError",
    message: "The kernel has no function pipe_wriet(): did you mean pipe_write?",
  });
  assert.throws(() => checkFunctionName(INDEXES, "schedule"), {
    name: "RangeError",
    message: "The kernel has no function schedule()",
  });
});

test("a function of a file that is not instrumented is refused as what it is", () => {
  assert.throws(() => checkFunctionName(INDEXES, "_start"), {
    name: "RangeError",
    message: /^Cannot tell whether _start\(\) ran: it has no coverage points/,
  });
});

test("a file is known by its path from the root; others are refused with the nearest", () => {
  checkFileName(INDEXES, "fs/pipe.c");
  for (const wrong of ["pipe.c", "fs/pip.c", "./fs/pipe.c"]) {
    assert.throws(() => checkFileName(INDEXES, wrong), {
      name: "RangeError",
      message: `The kernel has no source file ${wrong}: did you mean fs/pipe.c?`,
    });
  }
});
