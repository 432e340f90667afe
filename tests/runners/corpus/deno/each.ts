import { withKernelCoverage } from "kernelcov";

Deno.test.each([[1, "one"], [2, "two"]])(
  "row %d is %s",
  withKernelCoverage((cov, count, word, t) => console.log(count, word, t.name)),
);
Deno.test.each([{ id: 1 }, { id: 2 }])(
  "object $id",
  withKernelCoverage((cov, row) => {
    if (row.id === 2) throw new Error("of the second row");
  }),
);
