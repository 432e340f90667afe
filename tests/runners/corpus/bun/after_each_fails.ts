import { afterEach, describe, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

describe("suite", () => {
  afterEach(() => {
    throw new Error("after each");
  });
  test("runs", withKernelCoverage(() => console.log("ran")));
});
