import { afterAll, describe, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

describe("suite", () => {
  afterAll(() => {
    throw new Error("after all");
  });
  test("runs", withKernelCoverage(() => console.log("ran")));
});
