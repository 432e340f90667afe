import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { withKernelCoverage } from "kernelcov";

test("a function", withKernelCoverage(() => {
  const add = mock.fn((a: number, b: number) => a + b);
  assert.equal(add(1, 2), 3);
  assert.equal(add.mock.calls.length, 1);
}));
test("a method", withKernelCoverage((cov, t) => {
  const clock = { now: () => 1 };
  t.mock.method(clock, "now", () => 2);
  assert.equal(clock.now(), 2);
}));
