import { expect, jest, setSystemTime, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("the date", withKernelCoverage(() => {
  setSystemTime(new Date("2001-02-03T04:05:06Z"));
  expect(new Date().getFullYear()).toBe(2001);
  setSystemTime();
}));
test("timers", withKernelCoverage(() => {
  jest.useFakeTimers();
  let rung = 0;
  setTimeout(() => rung++, 60_000);
  jest.advanceTimersByTime(60_000);
  expect(rung).toBe(1);
  jest.useRealTimers();
}));
