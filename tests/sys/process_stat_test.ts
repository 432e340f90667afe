import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { readProcessStat } from "../../src/sys/process_stat.ts";

test("a process's name may hold spaces and parentheses, and fields count from behind it", () => {
  const folder = mkdtempSync(join(tmpdir(), "kernelcov-stat-"));
  try {
    const path = join(folder, "stat");
    writeFileSync(path, "7 (a) b (c) S 1 7 7 0 -1 4194304 100\n");
    const stat = readProcessStat(path);
    assert.equal(stat?.name, "a) b (c");
    assert.deepEqual([3, 4, 8, 9, 39].map((number) => stat!.field(number)), [
      "S",
      "1",
      "-1",
      "4194304",
      "",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("this process runs, and one that is gone is undefined", () => {
  assert.equal(readProcessStat(process.pid)?.field(4), `${process.ppid}`);
  assert.equal(readProcessStat(2 ** 30), undefined);
});
