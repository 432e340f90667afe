import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

let times = 0;
test("repeats", withKernelCoverage(() => console.log(++times)), { repeats: 2 });
