import { test } from "node:test";

for (let number = 0; number < 200; number++) test(`empty ${number}`, () => {});
