import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("a number", withKernelCoverage(() => 1) as never);
test("an error", withKernelCoverage(() => new Error("returned, not thrown")) as never);
test("a generator", withKernelCoverage(function* () {
  console.log("never");
  yield 1;
}) as never);
