import { test } from "node:test";
import { compiled, run, SLOW } from "./program.ts";

const cases = compiled("collector_cases");
for (
  const [name, title] of [
    ["origins", "each point is stored once for each system call and other origin that ran it"],
    [
      "late",
      "what runs late goes to the test that caused it, or to nobody once its collector is renewed",
    ],
    ["scopes", "threads and processes in scope follow a switch, others do not collect"],
    ["refused", "calls in a wrong state are refused, as are more collectors than there may be"],
  ]
) {
  test(title, SLOW, () => run(cases, name));
}
