Deno.test("a function", function (this: unknown, ...args: unknown[]) {
  console.log(this, args.length);
});
Deno.test({
  name: "a method",
  fn(this: unknown, ...args: unknown[]) {
    console.log(this, args.length);
  },
});
