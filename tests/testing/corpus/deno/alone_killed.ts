import process from "node:process";
import { withKernelCoverage } from "kernelcov";

Deno.test("passes before", withKernelCoverage(() => {}));
Deno.test("kills itself", withKernelCoverage(() => {
  process.kill(process.pid, "SIGKILL");
}));
