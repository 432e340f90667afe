import assert from "node:assert/strict";
import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("throws after a wait", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  throw new Error("later");
}));
test("rejects", withKernelCoverage(() => Promise.reject(new TypeError("rejected"))));
test("asserts a rejection", withKernelCoverage(async () => {
  await assert.rejects(Promise.resolve());
}));
