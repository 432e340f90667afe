import assert from "node:assert/strict";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("throws", withKernelCoverage(() => {
  throw new RangeError("out of range");
}));
test("asserts", withKernelCoverage(() => assert.equal(1, 2)));
test("asserts of objects", withKernelCoverage(() => assert.deepEqual({ a: [1] }, { a: [2] })));
