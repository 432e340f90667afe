import { withKernelCoverage } from "kernelcov";

Deno.test("prints", withKernelCoverage(() => console.log("to standard output")));
Deno.test("complains", withKernelCoverage(() => console.error("to standard error")));
