import { describe, expect, test } from "bun:test";
import { withKernelCoverage } from "kernelcov";

test.each([[1, 1], [2, 3]])(
  "%d is %i",
  withKernelCoverage((cov, a, b) => expect(a).toBe(b)),
);
test.each([{ id: 1, of: { name: "x" } }, { id: 2, of: { name: "y" } }])(
  "object $id of $of.name",
  withKernelCoverage((cov, row) => expect(row.id).toBe(1)),
);
test.each(["a", "b"])("%s at %#", withKernelCoverage((cov, letter) => console.log(letter)));
test.each([[1, () => "called"]])(
  "a row with a function %d",
  withKernelCoverage((cov, _, call) => console.log(call())),
);
test.each([[1], [2]])("%d is done", withKernelCoverage((cov, n, done: unknown) => {
  console.log(n, typeof done);
  (done as () => void)();
}));
describe.each([[1], [2]])("suite %d", (n) => {
  test("within", withKernelCoverage(() => console.log(n)));
});
