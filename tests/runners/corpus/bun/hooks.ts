import { afterAll, afterEach, beforeAll, beforeEach, describe, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

beforeAll(() => console.log("before all"));
beforeEach(() => console.log("before each"));
afterEach(() => console.log("after each"));
afterAll(() => console.log("after all"));
test("one", withKernelCoverage(() => console.log("one")));
describe("suite", () => {
  beforeEach(() => console.log("before each of the suite"));
  afterEach(() => console.log("after each of the suite"));
  test("two", withKernelCoverage(() => console.log("two")));
});
