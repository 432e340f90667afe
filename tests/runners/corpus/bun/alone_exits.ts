import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("passes before", withKernelCoverage(() => {}));
test("exits", withKernelCoverage(() => process.exit(5)));
test("is not reached", withKernelCoverage(() => {}));
