import { afterEach, before, beforeEach, test } from "node:test";
import { withKernelCoverage } from "kernelcov";

const ran: string[] = [];
before(() => void ran.push("before"));
beforeEach(() => void ran.push("before each"));
afterEach(() => void ran.push("after each"));
test("one", withKernelCoverage(() => void ran.push("one")));
test("two", withKernelCoverage(() => console.log(ran.join(", "))));
