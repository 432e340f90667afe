import { test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

// Each ends in a later turn of the event loop than the one before, however slow the machine is.
const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 10));
let before = wait();
function turn(): Promise<void> {
  return before = before.then(wait).then(wait);
}
test.concurrent("first", withKernelCoverage(() => turn()));
test.concurrent("second", withKernelCoverage(() => turn()));
test.concurrent("third", withKernelCoverage(async () => {
  await turn();
  throw new Error("at once with others");
}));
test.serial("fourth", withKernelCoverage(() => {}));
