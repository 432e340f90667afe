import { withKernelCoverage } from "kernelcov";

// deno-lint-ignore no-explicit-any
type Then = any;
Deno.test("resolves", withKernelCoverage((): Then => ({
  then(resolve: (value: number) => void) {
    console.log("asked");
    resolve(1);
  },
})));
Deno.test("rejects", withKernelCoverage((): Then => ({
  then(_: () => void, reject: (error: Error) => void) {
    reject(new Error("by a thenable"));
  },
})));
Deno.test("throws", withKernelCoverage((): Then => ({
  then() {
    throw new Error("in then");
  },
})));
Deno.test("resolves with another", withKernelCoverage((): Then => ({
  then(resolve: (value: unknown) => void) {
    resolve({
      then(_: () => void, reject: (error: Error) => void) {
        reject(new Error("by the second"));
      },
    });
  },
})));
Deno.test("is none", withKernelCoverage((): Then => ({ then: 1 })));
Deno.test("is a function", withKernelCoverage((): Then => () => console.log("called")));
