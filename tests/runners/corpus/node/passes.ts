import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("passes", withKernelCoverage(() => {}));
test("passes later", withKernelCoverage(async () => await Promise.resolve()));
test(withKernelCoverage(function is_named_by_its_body() {}));
