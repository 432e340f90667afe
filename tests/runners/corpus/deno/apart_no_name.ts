import { withKernelCoverage } from "kernelcov";

Deno.test(withKernelCoverage(() => {}));
