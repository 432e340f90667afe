import { withKernelCoverage } from "kernelcov";

Deno.test("same", withKernelCoverage(() => {}));
Deno.test("same", withKernelCoverage(() => {
  throw new Error("of the second");
}));
