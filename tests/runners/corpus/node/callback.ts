import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("is done at once", withKernelCoverage((cov, _t, done) => done()));
test("is done later", withKernelCoverage((cov, _t, done) => {
  setTimeout(done, 2);
}));
test("is done with an error", withKernelCoverage((cov, _t, done) => {
  done(new Error("given to the callback"));
}));
test("the callback", withKernelCoverage((cov, _t, done) => {
  console.log(typeof done, done.length);
  done();
}));
