import { expect, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("passes", withKernelCoverage(() => {}));
test("passes later", withKernelCoverage(async () => await Promise.resolve()));
test("expects", withKernelCoverage(() => expect(1).toBe(1)));
