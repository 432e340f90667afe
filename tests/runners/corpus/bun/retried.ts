import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

let attempts = 0;
test("passes at last", withKernelCoverage(() => {
  if (++attempts < 3) throw new Error(`attempt ${attempts}`);
}), { retry: 3 });
test("never passes", withKernelCoverage(() => {
  throw new Error("again");
}), { retry: 1 });
