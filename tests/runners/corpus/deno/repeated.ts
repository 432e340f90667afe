import { withKernelCoverage } from "kernelcov";

let times = 0;
Deno.test("repeats", { repeats: 2 }, withKernelCoverage(() => console.log(++times)));
