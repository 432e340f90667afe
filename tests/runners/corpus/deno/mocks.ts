import assert from "node:assert/strict";
import { mock } from "node:test";
import { withKernelCoverage } from "kernelcov";

Deno.test("a clock", withKernelCoverage(() => {
  const now = mock.method(Date, "now", () => 42);
  assert.equal(Date.now(), 42);
  now.mock.restore();
}));
Deno.test("fails", withKernelCoverage(() => {
  const add = mock.fn((a: number) => a + 1);
  assert.equal(add(1), 3);
}));
