// What a test can ask of its own coverage.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { kernelCoverage, withKernelCoverage } from "kernelcov";

const folder = mkdtempSync(join(tmpdir(), "cookbook-"));
const file = join(folder, "file");
writeFileSync(file, "text");
after(() => rmSync(folder, { recursive: true }));

test(
  "a read takes the way of reads",
  withKernelCoverage((cov) => {
    readFileSync(file);
    if (!cov.available) return;
    assert.ok(cov.reached("vfs_read"));
    assert.ok(!cov.reached("vfs_rename"));
    // A wrong name would never be reached: it is an error, which names similar ones.
    assert.throws(() => cov.reached("vfs_raed"), /vfs_read/);
  }),
);

test(
  "the error path of a lookup runs when a file is missing",
  withKernelCoverage((cov) => {
    assert.throws(() => statSync(join(folder, "missing")), { code: "ENOENT" });
    if (!cov.available) return;
    assert.ok(cov.functions().includes("vfs_statx"));
    assert.ok(cov.lines("fs/stat.c").length > 0);
  }),
);

test("a part of a test is recorded by itself", () => {
  writeFileSync(file, "other");
  using cov = kernelCoverage("only the read");
  readFileSync(file);
  if (!cov.available) return;
  assert.ok(cov.reached("vfs_read"));
  assert.ok(!cov.reached("vfs_write"));
});

test(
  "a system call and what it led to",
  withKernelCoverage((cov) => {
    writeFileSync(file, "more");
    if (!cov.available) return;
    const write = cov.calls().find(({ name }) => name === "write" || name === "pwrite64");
    assert.ok(write!.functions.includes("vfs_write"));
  }),
);
