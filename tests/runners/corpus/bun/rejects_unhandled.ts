import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("passes before", withKernelCoverage(() => {}));
test("leaves a rejection", withKernelCoverage(() => {
  Promise.reject(new Error("nobody's"));
}));
test("leaves one and waits", withKernelCoverage(async () => {
  Promise.reject(new Error("nobody's either"));
  await new Promise((resolve) => setTimeout(resolve, 5));
}));
test("passes behind", withKernelCoverage(() => {}));
