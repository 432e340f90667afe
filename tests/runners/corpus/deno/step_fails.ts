import { withKernelCoverage } from "kernelcov";

Deno.test("outer", withKernelCoverage(async (cov, t) => {
  await t.step("passes", withKernelCoverage(() => {}));
  const passed = await t.step("fails", withKernelCoverage(async () => {
    await Promise.resolve();
    throw new Error("of the step");
  }));
  console.log("passed:", passed);
}));
Deno.test("the next", withKernelCoverage(() => {}));
