import { withKernelCoverage } from "kernelcov";

for (const value of ["text", undefined, null, 0, { a: 1 }, Symbol("s"), () => {}]) {
  Deno.test(`throws ${typeof value} ${String(value)}`, withKernelCoverage(() => {
    throw value;
  }));
}
