import { withKernelCoverage } from "kernelcov";

Deno.test("with 0", withKernelCoverage(() => Deno.exit(0)));
Deno.test("with 3", withKernelCoverage(() => Deno.exit(3)));
Deno.test("the next", withKernelCoverage(() => {}));
