import { test } from "bun:test";

console.log(test.name, test.length, typeof test.each, typeof test.skip, "concurrent" in test);
function body(this: void): void {
  console.log(body.name, body.length, String(body).slice(0, 14));
}
test("prints", body);
