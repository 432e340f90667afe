import { withKernelCoverage } from "kernelcov";

Deno.test("leaves a rejection", withKernelCoverage(async () => {
  Promise.reject(new Error("nobody's"));
  await new Promise((resolve) => setTimeout(resolve, 5));
}));
