import { test } from "node:test";

test("computes", { timeout: 120_000 }, () => {
  let sum = 0;
  for (let step = 0; step < 2e9; step++) sum = Math.imul(sum, 31) + (step | 0) | 0;
  if (Number.isNaN(sum)) throw new RangeError("sums are numbers");
});
