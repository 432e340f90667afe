import { beforeAll, describe, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

describe("suite", () => {
  beforeAll(() => {
    throw new Error("before all");
  });
  test("does not run", withKernelCoverage(() => console.log("ran")));
});
test("runs", withKernelCoverage(() => {}));
