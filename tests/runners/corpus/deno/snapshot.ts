import { withKernelCoverage } from "kernelcov";

Deno.test("differs", withKernelCoverage(async (cov, t) => {
  await t.assertSnapshot({ a: 1 });
}));
Deno.test("is missing", withKernelCoverage(async (cov, t) => {
  await t.assertSnapshot([1]);
}));
