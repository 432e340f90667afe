import { withKernelCoverage } from "kernelcov";

Deno.test("not this", withKernelCoverage(() => console.log("ran")));
Deno.test.only("this", withKernelCoverage(() => console.log("ran alone")));
