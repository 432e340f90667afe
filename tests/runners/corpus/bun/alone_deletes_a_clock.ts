import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("deletes", withKernelCoverage(() => {
  delete (globalThis as { performance?: unknown }).performance;
}));
test("the next", withKernelCoverage(() => console.log(typeof globalThis.performance)));
test("fails", withKernelCoverage(() => {
  throw new Error("as it should");
}));
