import process from "node:process";
import { withKernelCoverage } from "kernelcov";

Deno.test("ends itself", withKernelCoverage(async () => {
  process.kill(process.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 1000));
}));
