import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("a promise", withKernelCoverage(() => Promise.reject(new Error("rejected"))));
test("after a wait", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  throw new Error("after a wait");
}));
async function inner(): Promise<void> {
  await null;
  throw new Error("in a function");
}
test("in a function", withKernelCoverage(async () => {
  await inner();
}));
