import process from "node:process";
import { withKernelCoverage } from "kernelcov";

Deno.test("ends itself", withKernelCoverage(async () => {
  await new Promise((resolve) => setTimeout(resolve, 500)); // what it printed is written
  process.kill(process.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 1000));
}));
