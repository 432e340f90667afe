import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
test.concurrent("first", withKernelCoverage(() => wait(30)));
test.concurrent("second", withKernelCoverage(() => wait(60)));
test.concurrent("third", withKernelCoverage(async () => {
  await wait(90);
  throw new Error("at once with others");
}));
test.serial("fourth", withKernelCoverage(() => {}));
