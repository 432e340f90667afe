import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

function inner(): never {
  throw new Error("from a function");
}
function outer(): void {
  inner();
}
test("throws in a function", withKernelCoverage(() => {
  outer();
}));
