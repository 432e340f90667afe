import { describe, it } from "node:test";
import { withKernelCoverage } from "kernelcov";

describe("outer", () => {
  it("passes", withKernelCoverage(() => {}));
  it("fails", withKernelCoverage(async () => {
    await Promise.resolve();
    throw new Error("in a suite");
  }));
});
