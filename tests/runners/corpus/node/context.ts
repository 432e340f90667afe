import { test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("the context", withKernelCoverage((cov, t) => {
  console.log(t.name, typeof t.signal, typeof t.test, typeof t.diagnostic);
  t.diagnostic("a note");
}));
