import { test } from "bun:test";

test("is not reached", () => {
  const a = ;
});
