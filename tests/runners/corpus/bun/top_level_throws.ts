import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("is not reached", withKernelCoverage(() => {}));
throw new Error("at the top level");
