import { withKernelCoverage } from "kernelcov";

Deno.test("deletes", withKernelCoverage(() => {
  delete (globalThis as { performance?: unknown }).performance;
}));
Deno.test("the next", withKernelCoverage(() => console.log(typeof globalThis.performance)));
Deno.test("fails", withKernelCoverage(() => {
  throw new Error("as it should");
}));
