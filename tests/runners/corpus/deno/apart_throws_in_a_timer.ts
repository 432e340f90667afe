import { withKernelCoverage } from "kernelcov";

setTimeout(() => {}, 0);
Deno.test("throws in a timer", withKernelCoverage(async () => {
  setTimeout(() => {
    throw new Error("in a timer");
  }, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
}));
