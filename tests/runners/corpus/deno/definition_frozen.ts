import { withKernelCoverage } from "kernelcov";

Deno.test(Object.freeze({ name: "frozen", fn: withKernelCoverage(() => {}) }));
