import { test } from "bun:test";

test("a function", function (this: unknown, ...args: unknown[]) {
  console.log(this, args.length);
});
test.each([[1, 2]])("of a row", function (this: unknown, ...args: unknown[]) {
  console.log(this, args.length);
});
