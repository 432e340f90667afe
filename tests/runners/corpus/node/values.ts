import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("a number", withKernelCoverage(() => 1));
test("an error", withKernelCoverage(() => new Error("returned, not thrown")));
test("a function", withKernelCoverage(() => () => console.log("called")));
test("a generator", withKernelCoverage(function* () {
  console.log("never");
  yield 1;
}));
