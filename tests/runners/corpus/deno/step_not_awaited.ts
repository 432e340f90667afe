import { withKernelCoverage } from "kernelcov";

Deno.test("outer", withKernelCoverage((cov, t) => {
  t.step("left alone", withKernelCoverage(() => new Promise((resolve) => setTimeout(resolve, 5))));
}));
