import { afterEach, test } from "node:test";
import { withKernelCoverage } from "kernelcov";

afterEach(() => {
  throw new Error("after each");
});
test("runs", withKernelCoverage(() => console.log("ran")));
