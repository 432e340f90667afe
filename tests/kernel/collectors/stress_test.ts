import { test } from "node:test";
import { compiled, run, SLOW } from "./program.ts";

const stress = compiled("collector_stress");
for (
  const [name, title] of [
    [
      "killed",
      "50 processes are killed while they switch: nothing of others is lost, nothing remains",
    ],
    ["full", "a full collector counts what it loses, and nothing written into its area harms it"],
    ["closed", "a collector is closed while tasks collect, and they go on with another one"],
    ["many", "200 processes in two tests are counted, each in its own"],
    ["crowded", "timers whose cause finds no room are counted"],
  ]
) {
  test(title, SLOW, () => void run(stress, name));
}
