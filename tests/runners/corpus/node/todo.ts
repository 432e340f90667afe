import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("by option", { todo: true }, withKernelCoverage(() => {}));
test.todo("by function", withKernelCoverage(() => {}));
test.todo("without a body");
test("in the body", withKernelCoverage((cov, t) => t.todo("later")));
