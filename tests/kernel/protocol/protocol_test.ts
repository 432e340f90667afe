import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { plainEnvironment } from "../../_support/supervised.ts";
import { timeLimit } from "../../_support/limits/time_limit.ts";

const SOURCE = fileURLToPath(new URL("./protocol_cases.c", import.meta.url));

/** What each case of protocol_cases.c shows; docs/protocol.md has what it proves. */
const CASES: Readonly<Record<string, string>> = {
  init_collects_nothing: "a device that is set up collects nothing before it is enabled",
  buffer_is_zero: "the buffer is zero when it is mapped",
  mapping_has_the_size: "a mapping has the size of the buffer, in whole pages, and comes after it",
  first_word_counts: "the first word counts the PCs that follow it",
  enable_is_recorded: "enabling leaves coverage of its own",
  zero_begins_anew: "a 0 that user space writes to the first word begins anew",
  disable_is_recorded: "disabling leaves more coverage, and nothing is collected after it",
  read_after_disable: "what was collected can be read after disabling",
  order_is_kept: "PCs are in the order in which they ran, each time",
  only_own_thread: "only the thread that enabled a device is collected",
  threads_are_independent: "threads that open devices of their own are collected independently",
  another_thread_can_enable:
    "another thread can enable a device that is disabled, or whose thread ended",
  fork_loop: "children of a process that has opened and mapped a device only enable it",
  child_is_not_collected: "a forked child is not collected, and cannot disable its parent's device",
  modes_exclude_each_other: "PCs and comparison operands exclude each other",
  comparisons_are_records: "comparisons are records of four words, with operands of their size",
  full_buffer_drops: "a full buffer drops what comes, and keeps its count",
};

let program: string | undefined;

function compiled(): string {
  if (program !== undefined) return program;
  const path = join(mkdtempSync(join(tmpdir(), "protocol-cases-")), "protocol_cases");
  execFileSync("gcc", ["-O1", "-Wall", "-pthread", "-o", path, SOURCE]);
  return program = path;
}

for (const [name, title] of Object.entries(CASES)) {
  test(title, { timeout: timeLimit(60_000) }, () => {
    const run = spawnSync(compiled(), [name], { encoding: "utf8", env: plainEnvironment() });
    assert.equal(run.stdout, `ok ${name}\n`, `status ${run.status}, signal ${run.signal}`);
  });
}
