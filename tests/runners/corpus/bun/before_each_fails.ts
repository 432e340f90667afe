import { beforeEach, describe, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

describe("suite", () => {
  beforeEach(() => {
    throw new Error("before each");
  });
  test("does not run", withKernelCoverage(() => console.log("ran")));
});
