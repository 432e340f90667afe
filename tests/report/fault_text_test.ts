import assert from "node:assert/strict";
import { test } from "node:test";
import { faultPaths } from "../../src/coverage/questions/fault_paths.ts";
import { RunCoverage } from "../../src/coverage/run_coverage.ts";
import { buildUniverse } from "../../src/coverage/universe.ts";
import {
  faultFunctions,
  faultJson,
  faultPlain,
  faultSummary,
  faultText,
} from "../../src/report/fault_text.ts";
import { buildRecord, smallKernel } from "../_support/images/index_builder.ts";

const IMAGE = smallKernel();
const COVERAGE = new RunCoverage(buildUniverse(IMAGE), [
  buildRecord(IMAGE, "a pipe", [0x10, 0x100], null),
], { kernel: { buildId: IMAGE.buildId, release: "6.12.0", machine: "x86_64" } });
const NONE = { cuts: [], damaged: 0 };

function failure(nth: number, offsets: readonly number[], error?: string) {
  const pcs = Float64Array.from(offsets, (offset) => IMAGE.base + offset + IMAGE.callLength);
  return { name: "a pipe", file: "pipe_test.ts", call: "pipe2", nth, error, pcs };
}

const PATHS = faultPaths(COVERAGE, [
  failure(1, [0x100, 0x120]),
  failure(2, [0x120, 0x140, 0x999], "ENOMEM"),
]);

test("what only failures reached are the points and lines that no test of the run has", () => {
  assert.equal(PATHS.points.length, 2);
  assert.equal(PATHS.unresolved, 1);
  // Line 21 is also that of a point which the test ran.
  assert.deepEqual(
    faultFunctions(COVERAGE, PATHS.lines).map(({ name, file, lines }) => [name, file, lines]),
    [["pipe_write", "fs/pipe.c", [25, 26]], ["get_page", "include/linux/mm.h", [5, 6]]],
  );
  assert.equal(faultPaths(COVERAGE, [failure(1, [0x10, 0x100])]).points.length, 0);
});

test("failures are listed by test and call, with what the test threw", () => {
  assert.equal(
    faultText(COVERAGE, PATHS, NONE),
    `pipe_test.ts: a pipe
  pipe2(2): 2 failed allocations, 4 lines that no test ran without
  threw at 2: ENOMEM
    fs/pipe.c  pipe_write:20  25-26
    include/linux/mm.h  get_page:5  5-6
1 PC not among the coverage points of the image
`,
  );
  assert.equal(faultPlain(COVERAGE, PATHS), "fs/pipe.c:25-26\ninclude/linux/mm.h:5-6\n");
  const { functions, calls } = faultJson(COVERAGE, PATHS, NONE) as Record<string, unknown[]>;
  assert.equal(functions.length, 2);
  assert.deepEqual((calls[0] as { faults: unknown }).faults, [
    { nth: 1 },
    { nth: 2, error: "ENOMEM" },
  ]);
});

test("the report of a run says what is lost of failures", () => {
  const cut = { name: "a pipe", file: "pipe_test.ts", call: "openat", why: "2 s have passed" };
  const text = faultSummary(COVERAGE, PATHS, { cuts: [cut], damaged: 1 });
  assert.match(text, /^failed allocations: 2, .* threw in 1 of them\n/);
  assert.match(text, /only these reached 2 points, 4 lines in 2 functions/);
  assert.match(text, /not all allocations failed in 1 call of a test/);
  assert.match(text, /1 failure cannot be read/);
  assert.doesNotMatch(faultSummary(COVERAGE, PATHS, NONE), /not all|cannot be read/);
});
