import { withKernelCoverage } from "kernelcov";

const options = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
Deno.test("outer", withKernelCoverage(async (cov, t) => {
  const fn = withKernelCoverage(() => new Promise<void>((resolve) => setTimeout(resolve, 5)));
  await Promise.all([
    t.step({ name: "first", fn, ...options }),
    t.step({ name: "second", fn, ...options }),
  ]);
}));
