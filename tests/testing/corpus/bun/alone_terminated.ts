import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("ends itself", withKernelCoverage(async () => {
  process.kill(process.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 1000));
}));
