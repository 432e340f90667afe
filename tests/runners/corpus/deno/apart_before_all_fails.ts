import { withKernelCoverage } from "kernelcov";

Deno.test.beforeAll(() => {
  throw new Error("before all");
});
Deno.test("does not run", withKernelCoverage(() => console.log("ran")));
