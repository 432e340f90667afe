import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

const storage = new AsyncLocalStorage<string>();
test("is its own", withKernelCoverage(async () => {
  console.log(storage.getStore());
  await storage.run("entered", async () => {
    await null;
    console.log(storage.getStore());
  });
}));
test("in the next", withKernelCoverage(() => console.log(storage.getStore())));
