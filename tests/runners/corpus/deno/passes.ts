import { withKernelCoverage } from "kernelcov";

Deno.test("passes", withKernelCoverage(() => {}));
Deno.test("passes later", withKernelCoverage(async () => await Promise.resolve()));
