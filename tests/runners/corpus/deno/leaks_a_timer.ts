import { withKernelCoverage } from "kernelcov";

Deno.test("leaks", { sanitizeOps: true }, withKernelCoverage(() => {
  setTimeout(() => {}, 10_000);
}));
