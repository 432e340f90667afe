const { expect, test } = require("bun:test");

test("passes", () => expect(1).toBe(1));
test("fails", () => {
  throw new Error("of the required module");
});
