import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("is done at once", withKernelCoverage((cov, done: () => void) => done()));
test("is done later", withKernelCoverage((cov, done: () => void) => {
  setTimeout(done, 2);
}));
test("is done with an error", withKernelCoverage((cov, done: (error: Error) => void) => {
  done(new Error("given to the callback"));
}));
test("throws", withKernelCoverage((cov, done: () => void) => {
  throw new Error("thrown before it was done");
}));
test("the callback", withKernelCoverage((cov, done: () => void) => {
  console.log(done.name, done.length, String(done).slice(0, 14));
  done();
}));
