import { withKernelCoverage } from "kernelcov";

let attempts = 0;
Deno.test("passes at last", { retry: 3 }, withKernelCoverage(() => {
  if (++attempts < 3) throw new Error(`attempt ${attempts}`);
}));
Deno.test("never passes", { retry: 1 }, withKernelCoverage(() => {
  throw new Error("again");
}));
