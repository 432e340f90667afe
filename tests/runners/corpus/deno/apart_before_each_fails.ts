import { withKernelCoverage } from "kernelcov";

Deno.test.beforeEach(() => {
  throw new Error("before each");
});
Deno.test("does not run", withKernelCoverage(() => console.log("ran")));
