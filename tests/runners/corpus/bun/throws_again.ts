import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("what it caught", withKernelCoverage(() => {
  try {
    throw new Error("first");
  } catch (error) {
    throw error;
  }
}));
test("and cleans up", withKernelCoverage(() => {
  try {
    throw new Error("first");
  } finally {
    console.log("cleaned up");
  }
}));
