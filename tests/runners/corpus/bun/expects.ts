import { expect, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("equal", withKernelCoverage(() => expect(1).toBe(2)));
test("deep", withKernelCoverage(() => expect({ a: [1, 2] }).toEqual({ a: [1, 3] })));
test("throws", withKernelCoverage(() => expect(() => {}).toThrow()));
test("rejects", withKernelCoverage(() => expect(Promise.resolve(1)).rejects.toBe(1)));
test("resolves", withKernelCoverage(async () => {
  await expect(Promise.resolve(1)).resolves.toBe(2);
}));
test("is not reached", withKernelCoverage(() => expect.unreachable("reached")));
