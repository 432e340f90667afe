import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("outer", withKernelCoverage(async (cov, t) => {
  await t.test("passes", withKernelCoverage(() => {}));
  await t.test("fails", withKernelCoverage(async () => {
    await Promise.resolve();
    throw new Error("of the subtest");
  }));
}));
