import { onTestFinished, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("passes", withKernelCoverage(() => {
  onTestFinished(() => console.log("finished"));
}));
test("fails", withKernelCoverage(() => {
  onTestFinished(() => {
    throw new Error("when it had finished");
  });
}));
