import { expect, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("as many", withKernelCoverage(() => {
  expect.assertions(1);
  expect(1).toBe(1);
}));
test("too few", withKernelCoverage(() => {
  expect.assertions(2);
  expect(1).toBe(1);
}));
test("none", withKernelCoverage(() => expect.hasAssertions()));
