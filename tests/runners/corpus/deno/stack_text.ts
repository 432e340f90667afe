import { withKernelCoverage } from "kernelcov";

Deno.test("the first frames", withKernelCoverage(() => {
  const [message, frame] = new Error("told").stack!.split("\n");
  console.log(message, frame);
}));
Deno.test("prepared", withKernelCoverage(() => console.log(typeof Error.prepareStackTrace)));
