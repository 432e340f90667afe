import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test.failing("fails", withKernelCoverage(() => {
  throw new Error("expected");
}));
test.failing("fails later", withKernelCoverage(async () => {
  await null;
  throw new Error("expected");
}));
test.failing("passes", withKernelCoverage(() => {}));
test.failing("takes too long", withKernelCoverage(() => new Promise(() => {})), 20);
