import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("an error", withKernelCoverage(() => {
  throw new Error("thrown");
}));
function inner(): never {
  throw new TypeError("thrown in a function");
}
function outer(): void {
  inner();
}
test("in a function", withKernelCoverage(() => {
  outer();
}));
test("in a function that is called last", withKernelCoverage(() => outer()));
test("of another's", withKernelCoverage(() => {
  [1].map(() => inner());
}));
test("of the runtime's", withKernelCoverage(() => JSON.parse("{")));
