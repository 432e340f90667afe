import { withKernelCoverage } from "kernelcov";

Deno.test("passes before", withKernelCoverage(() => {}));
Deno.test("leaves a rejection", withKernelCoverage(() => {
  Promise.reject(new Error("nobody's"));
}));
Deno.test("is not reached", withKernelCoverage(() => {}));
