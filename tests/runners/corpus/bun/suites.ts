import { describe, it, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

describe("outer", () => {
  it("one", withKernelCoverage(() => {}));
  describe("inner", () => {
    it("two", withKernelCoverage(() => {}));
    describe("innermost", () => it("three", withKernelCoverage(() => {})));
  });
  it("four", withKernelCoverage(() => {}));
});
test("five", withKernelCoverage(() => {}));
