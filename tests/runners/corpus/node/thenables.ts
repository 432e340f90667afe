import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("resolves", withKernelCoverage(() => ({
  then(resolve: () => void) {
    console.log("asked");
    resolve();
  },
})));
test("rejects", withKernelCoverage(() => ({
  then(_: () => void, reject: (error: Error) => void) {
    reject(new Error("by a thenable"));
  },
})));
