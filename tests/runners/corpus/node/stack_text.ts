import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("the first frame", withKernelCoverage(() => {
  const [message, frame] = new Error("told").stack!.split("\n");
  console.log(message, frame);
}));
