import { describe, it } from "node:test";
import { withKernelCoverage } from "kernelcov";

describe("outer", () => {
  it("one", withKernelCoverage(() => {}));
  describe("inner", () => {
    it("two", withKernelCoverage(() => {}));
    it("three", withKernelCoverage(async () => await Promise.resolve()));
  });
  it("four", withKernelCoverage(() => {}));
});
