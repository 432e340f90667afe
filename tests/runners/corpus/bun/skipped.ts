import { describe, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test.skip("by function", withKernelCoverage(() => console.log("ran")));
test.skipIf(true)("by condition", withKernelCoverage(() => console.log("ran")));
test.if(false)("unless", withKernelCoverage(() => console.log("ran")));
describe.skip("suite", () => {
  test("within", withKernelCoverage(() => console.log("ran")));
});
test("runs", withKernelCoverage(() => {}));
