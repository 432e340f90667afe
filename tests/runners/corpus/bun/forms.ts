import { describe, it, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

class Named {}
function aFunction() {}
test(Named.name, withKernelCoverage(() => {}));
test("options behind", withKernelCoverage(() => {}), { timeout: 1000 });
test("a time limit", withKernelCoverage(() => {}), 1000);
describe(Named, () => it("in a suite of a class", withKernelCoverage(() => {})));
describe(aFunction, () => it("in a suite of a function", withKernelCoverage(() => {})));
describe("async", async () => {
  await null;
  it("in an asynchronous suite", withKernelCoverage(() => {}));
});
