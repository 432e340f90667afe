import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("passes before", withKernelCoverage(() => {}));
test("kills itself", withKernelCoverage(() => {
  process.kill(process.pid, "SIGKILL");
}));
