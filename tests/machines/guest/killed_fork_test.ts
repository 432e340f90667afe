import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inGuest } from "../../_support/guest_run.ts";

test("processes that are killed in the middle of a fork do not bring the guest down", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-fork-"));
  try {
    const program = join(folder, "killed_fork");
    const source = join(import.meta.dirname!, "fixtures/killed_fork.c");
    execFileSync("gcc", ["-O1", "-o", program, source]);
    const run = await inGuest([program]);
    assert.deepEqual(
      [run.end, run.exitStatus, run.stdout],
      ["exited", 0, "survived\n"],
      run.stderr,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
