/**
 * What a test causes is found in the kernel's own threads and interrupts, with the call that it goes back to, and is nobody
 * else's: cause_rows.h has the table.
 */
import { existsSync } from "node:fs";
import { test } from "node:test";
import { compiled, printed, run, SLOW } from "./program.ts";

const TITLES: Record<string, string> = {
  beside: "what it causes is in its own collector alone, with its origin",
  next: "what runs when the next test does is the first one's",
  renewed: "what runs after a renewal is nobody's",
  each: "of two that wait for the same work each has its own part",
};

const causes = compiled("collector_causes");
for (const row of printed(causes, "rows").trimEnd().split("\n")) {
  const [name, ...modes] = row.split(" ");
  // Only the kernel of scripts/checks/debug_kernel has KUnit.
  if (name === "kunit" && !existsSync("/sys/kernel/debug/kunit")) continue;
  for (const mode of modes) {
    test(`${name}: ${TITLES[mode]}`, SLOW, () => run(causes, name, mode));
  }
}
