import { withKernelCoverage } from "kernelcov";

Deno.test("leaks", { sanitizeResources: true }, withKernelCoverage(() => {
  Deno.openSync("/etc/passwd");
}));
Deno.test("closes", { sanitizeResources: true, sanitizeOps: true }, withKernelCoverage(() => {
  Deno.openSync("/etc/passwd").close();
}));
