import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("is never done", withKernelCoverage((cov, done: () => void) => {}), 20);
test("is done twice", withKernelCoverage((cov, done: (error?: Error) => void) => {
  done();
  done(new Error("the second time"));
}));
