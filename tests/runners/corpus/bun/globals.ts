// Without an import of the runner's module.
declare const test: typeof import("bun:test").test;
declare const expect: typeof import("bun:test").expect;

test("passes", () => expect(1).toBe(1));
test("fails", () => {
  throw new Error("of the global function");
});
