import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("outer", withKernelCoverage(async (cov, t) => {
  await t.test("first", withKernelCoverage(() => {}));
  await t.test("second", withKernelCoverage(async (cov, t) => {
    await t.test("innermost", withKernelCoverage(() => {}));
  }));
}));
