import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

// deno-lint-ignore no-explicit-any
test("resolves and is done", withKernelCoverage(async (cov, done: any) => {
  await null;
  done();
}) as never);
// deno-lint-ignore no-explicit-any
test("rejects", withKernelCoverage(async (cov, done: any) => {
  await null;
  throw new Error("rejected before it was done");
}) as never);
