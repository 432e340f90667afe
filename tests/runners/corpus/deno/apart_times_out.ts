import { withKernelCoverage } from "kernelcov";

setTimeout(() => {}, 0);
Deno.test("too long", { timeout: 20 }, withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 60));
}));
Deno.test("the next", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 100));
}));
