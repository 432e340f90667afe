import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

const wait = () => new Promise((resolve) => setTimeout(resolve, 10));
test("a timer", withKernelCoverage(async () => {
  setTimeout(() => {
    throw new Error("in a timer");
  }, 1);
  await wait();
}));
test("a microtask", withKernelCoverage(async () => {
  queueMicrotask(() => {
    throw new Error("in a microtask");
  });
  await wait();
}));
test("a tick", withKernelCoverage(async () => {
  process.nextTick(() => {
    throw new Error("in a tick");
  });
  await wait();
}));
