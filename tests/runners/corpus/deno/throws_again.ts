import { withKernelCoverage } from "kernelcov";

Deno.test("what it caught", withKernelCoverage(() => {
  try {
    throw new Error("first");
  } catch (error) {
    throw error;
  }
}));
Deno.test("and cleans up", withKernelCoverage(() => {
  try {
    throw new Error("first");
  } finally {
    console.log("cleaned up");
  }
}));
