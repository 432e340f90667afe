import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("leaves a timer", withKernelCoverage(() => {
  setTimeout(() => {
    throw new Error("after its end");
  }, 1);
}));
test("the next", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
}));
