import { withKernelCoverage } from "kernelcov";

Deno.test.afterEach(() => {
  throw new Error("after each");
});
Deno.test("runs", withKernelCoverage(() => console.log("ran")));
