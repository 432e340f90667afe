import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("one", withKernelCoverage(() => console.log("one")));
test("two", { only: true }, withKernelCoverage(() => console.log("two")));
