import { test } from "node:test";
import { compiled, run, SLOW } from "./program.ts";

const roles = compiled("collector_roles");
for (
  const [name, title] of [
    ["boundary", "a test's list has the points of its one call, and no switch is in a list"],
    ["roles", "the leader, other threads, the first thread and other processes are told apart"],
    ["paused", "while its leader is paused a collector has what the others run"],
    ["kept", "a process that is made in a test stays with it, a thread follows the switch"],
    ["renewed", "a renewal takes a collector away from all groups"],
    ["faults", "a page fault in a private mapping of a file is told apart"],
  ]
) {
  test(title, SLOW, () => run(roles, name));
}
