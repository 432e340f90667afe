import assert from "node:assert/strict";
import { withKernelCoverage } from "kernelcov";

Deno.test("equal", withKernelCoverage(() => assert.equal(1, 2)));
Deno.test("deep", withKernelCoverage(() => assert.deepEqual({ a: [1, 2] }, { a: [1, 3] })));
Deno.test("throws", withKernelCoverage(() => assert.throws(() => {})));
Deno.test("rejects", withKernelCoverage(() => assert.rejects(Promise.resolve())));
