import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("not this", withKernelCoverage(() => console.log("ran")));
test.only("this", withKernelCoverage(() => console.log("ran alone")));
