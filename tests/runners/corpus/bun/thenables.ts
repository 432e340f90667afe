import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("is not asked", withKernelCoverage(() => ({
  then() {
    console.log("asked");
  },
})) as never);
test("would reject", withKernelCoverage(() => ({
  then(_: unknown, reject: (error: Error) => void) {
    reject(new Error("asked"));
  },
})) as never);
