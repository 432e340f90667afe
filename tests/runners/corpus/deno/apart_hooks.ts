import { withKernelCoverage } from "kernelcov";

const ran: string[] = [];
Deno.test.beforeAll(() => void ran.push("before all"));
Deno.test.beforeEach(() => void ran.push("before each"));
Deno.test.afterEach(() => void ran.push("after each"));
Deno.test("one", withKernelCoverage(() => void ran.push("one")));
Deno.test("two", withKernelCoverage(() => console.log(ran.join(", "))));
