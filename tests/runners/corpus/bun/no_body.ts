import { test } from "bun:test";

test("passes", () => {});
test("has none", 3 as never);
