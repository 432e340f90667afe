import { AsyncLocalStorage } from "node:async_hooks";
import { withKernelCoverage } from "kernelcov";

const storage = new AsyncLocalStorage<string>();
Deno.test("is its own", withKernelCoverage(async () => {
  console.log(storage.getStore());
  storage.enterWith("entered");
  await null;
  console.log(storage.getStore());
}));
Deno.test("in the next", withKernelCoverage(() => console.log(storage.getStore())));
