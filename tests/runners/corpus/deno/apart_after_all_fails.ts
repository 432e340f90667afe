import { withKernelCoverage } from "kernelcov";

Deno.test.afterAll(() => {
  throw new Error("after all");
});
Deno.test("runs", withKernelCoverage(() => console.log("ran")));
