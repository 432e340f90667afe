import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("too long", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 60));
}), 20);
test("too long without a wait", withKernelCoverage(() => {
  const end = Date.now() + 50;
  while (Date.now() < end);
}), 20);
test("the next", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 100));
}));
