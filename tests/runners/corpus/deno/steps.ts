import { withKernelCoverage } from "kernelcov";

Deno.test("outer", withKernelCoverage(async (cov, t) => {
  await t.step("first", withKernelCoverage(() => {}));
  await t.step("second", withKernelCoverage(async (cov, t) => {
    console.log(t.name, t.parent?.name, t.origin.length > 0);
    await t.step("innermost", withKernelCoverage(() => {}));
  }));
  await t.step({ name: "object", fn: withKernelCoverage(() => {}) });
  await t.step(withKernelCoverage(function named_by_its_body() {}));
  await t.step({ name: "ignored", ignore: true, fn: withKernelCoverage(() => {}) });
}));
