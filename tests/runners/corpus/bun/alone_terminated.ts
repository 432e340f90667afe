import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("ends itself", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 500)); // what it printed is written
  process.kill(process.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 1000));
}));
