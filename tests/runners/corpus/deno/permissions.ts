import { withKernelCoverage } from "kernelcov";

Deno.test("none", { permissions: "none" }, withKernelCoverage(() => {
  console.log(Deno.permissions.querySync({ name: "read" }).state);
  Deno.readTextFileSync("/etc/passwd");
}));
Deno.test("some", { permissions: { read: true } }, withKernelCoverage(() => {
  console.log(Deno.readTextFileSync("/etc/hostname").length > 0);
}));
