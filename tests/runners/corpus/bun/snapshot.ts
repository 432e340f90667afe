import { expect, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test("inline", withKernelCoverage(() => expect({ a: 1 }).toMatchInlineSnapshot(`
  {
    "a": 1,
  }
`)));
test("differs", withKernelCoverage(() => expect(1).toMatchInlineSnapshot(`2`)));
test("an error's", withKernelCoverage(() => {
  expect(() => {
    throw new Error("told");
  }).toThrowErrorMatchingInlineSnapshot(`"told"`);
}));
