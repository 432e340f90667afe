import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { timeLimit } from "../_support/limits/time_limit.ts";

const SOURCE = fileURLToPath(new URL("./fixtures/memory_cases.c", import.meta.url));

/** What each case of memory_cases.c shows; the C program has it in full. */
const CASES: Readonly<Record<string, string>> = {
  sparse: "one page here and there is just these pages",
  in_order: "memory written in order is zero ahead, and at the most eight times as much is there",
  backwards: "memory written backwards keeps what was written",
  unmapped: "memory of any size that was unmapped is gone",
  moved_over: "memory that other memory was moved onto is gone",
  guard: "faults on guard pages, read-only pages and nothing say which they were",
  locked: "mlock2(MLOCK_ONFAULT) locks the pages that are used, and no others",
  watched: "userfaultfd hears of each page",
  limited: "a control group is charged for what was written, and ends a process at its limit only",
  forked: "after a fork each process has its own pages",
  private_file:
    "a private mapping of a file keeps writes, shows the file elsewhere and ends with it",
  read_only_use: "reading memory that nobody has written takes none",
  given_back: "memory that was given back is zero again, and shared memory is shared",
  known_page: "a page that the kernel holds is not exchanged",
  many_pieces: "a process may have more pieces of memory than the host maps",
  at_random: "memory written in random order keeps what was written",
  recorded: "what is mapped ahead is not recorded as the task's",
  kernel_pieces: "the kernel may have more pieces of memory than the host maps",
  registers: "floating point registers outlive system calls, faults, switches, signals and forks",
  traced_registers: "a tracer sees and sets its tracee's floating point registers",
};

let program: string | undefined;

function compiled(): string {
  if (program !== undefined) return program;
  const path = join(mkdtempSync(join(tmpdir(), "memory-cases-")), "memory_cases");
  execFileSync("gcc", ["-O1", "-pthread", "-o", path, SOURCE]);
  return program = path;
}

for (const [name, title] of Object.entries(CASES)) {
  test(title, { timeout: timeLimit(120_000) }, () => {
    const run = spawnSync(compiled(), [name], { encoding: "utf8" });
    assert.equal(run.stdout, `ok ${name}\n`, `status ${run.status}, signal ${run.signal}`);
  });
}
