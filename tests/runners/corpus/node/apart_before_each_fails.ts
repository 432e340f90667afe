import { beforeEach, test } from "node:test";
import { withKernelCoverage } from "kernelcov";

beforeEach(() => {
  throw new Error("before each");
});
test("does not run", withKernelCoverage(() => console.log("ran")));
