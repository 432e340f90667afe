import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("prints", withKernelCoverage(() => {
  console.log("to standard output");
  console.error("to standard error");
  console.log(new Error("logged").message);
}));
