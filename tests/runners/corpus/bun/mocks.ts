import { expect, mock, spyOn, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("a function", withKernelCoverage(() => {
  const add = mock((a: number, b: number) => a + b);
  expect(add(1, 2)).toBe(3);
  expect(add).toHaveBeenCalledTimes(1);
}));
test("a method", withKernelCoverage(() => {
  const clock = { now: () => 1 };
  spyOn(clock, "now").mockReturnValue(2);
  expect(clock.now()).toBe(3);
}));
test("a module", withKernelCoverage(async () => {
  mock.module("./nowhere", () => ({ answer: 42 }));
  // @ts-ignore: there is no such file
  expect((await import("./nowhere")).answer).toBe(42);
}));
