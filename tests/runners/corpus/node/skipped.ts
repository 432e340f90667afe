import { describe, it, test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("by option", { skip: true }, withKernelCoverage(() => console.log("ran")));
test("with a reason", { skip: "not here" }, withKernelCoverage(() => console.log("ran")));
test.skip("by function", withKernelCoverage(() => console.log("ran")));
test("in the body", withKernelCoverage((cov, t) => t.skip("found out")));
describe.skip("suite", () => {
  it("within", withKernelCoverage(() => console.log("ran")));
});
