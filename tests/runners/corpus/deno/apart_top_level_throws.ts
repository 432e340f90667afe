import { withKernelCoverage } from "kernelcov";

Deno.test("is not reached", withKernelCoverage(() => {}));
throw new Error("at the top level");
