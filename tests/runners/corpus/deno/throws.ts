import { withKernelCoverage } from "kernelcov";

Deno.test("an error", withKernelCoverage(() => {
  throw new Error("thrown");
}));
function inner(): never {
  throw new TypeError("thrown in a function");
}
function outer(): void {
  inner();
}
Deno.test("in a function", withKernelCoverage(() => {
  outer();
}));
Deno.test("of another's", withKernelCoverage(() => {
  [1].map(() => inner());
}));
