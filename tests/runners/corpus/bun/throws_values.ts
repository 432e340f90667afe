import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

for (const value of ["text", undefined, null, 0, { a: 1 }, Symbol("s"), () => {}]) {
  test(`throws ${typeof value} ${String(value)}`, withKernelCoverage(() => {
    throw value;
  }));
}
