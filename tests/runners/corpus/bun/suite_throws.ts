import { describe, it } from "bun:test";
import { withKernelCoverage } from "kernelcov";

describe("outer", () => {
  it("is declared before", withKernelCoverage(() => {}));
  throw new Error("in a suite");
});
