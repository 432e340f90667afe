import { withKernelCoverage } from "kernelcov";

// deno-lint-ignore no-explicit-any
type Any = any;
Deno.test("a number", withKernelCoverage((): Any => 1));
Deno.test("an error", withKernelCoverage((): Any => new Error("returned, not thrown")));
Deno.test("a generator", withKernelCoverage(function* (): Any {
  console.log("never");
  yield 1;
}));
Deno.test("an async generator", withKernelCoverage(async function* (): Any {
  console.log("never");
  yield 1;
}));
