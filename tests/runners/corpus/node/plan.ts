import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("is kept", withKernelCoverage((cov, t) => {
  t.plan(1);
  t.assert.ok(true);
}));
test("is not kept", withKernelCoverage((cov, t) => {
  t.plan(2);
  t.assert.ok(true);
}));
