import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("passes before", withKernelCoverage(() => {}));
test("kills itself", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 500)); // what it printed is written
  process.kill(process.pid, "SIGKILL");
}));
