import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { builtDiskUse, diskUse } from "../../src/build/disk_use.ts";

const KB = 1024;
let folder: string, log: string, deep: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kernelcov-disk-use-"));
  log = join(folder, "build.log");
  deep = join(folder, "source/fs/ext4");
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, "inode.c"), new Uint8Array(256 * KB).fill(1));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the folders of what was built are measured once for each build, its own files each time", () => {
  writeFileSync(log, "CC fs/ext4/inode.o\n");
  const first = builtDiskUse(folder, log);
  assert.ok(first >= 256 * KB && first <= diskUse(folder), `${first}`);
  // What is added below is not looked for,
  writeFileSync(join(deep, "super.c"), new Uint8Array(512 * KB).fill(1));
  const second = builtDiskUse(folder, log);
  assert.ok(second - first < 16 * KB, `${second - first}: measured again`);
  // but what is added beside it is,
  writeFileSync(join(folder, "vmlinux"), new Uint8Array(512 * KB).fill(1));
  const third = builtDiskUse(folder, log);
  assert.ok(third - second >= 512 * KB, `${third - second}`);
  // and all that another build made.
  utimesSync(log, 1, 1);
  const last = builtDiskUse(folder, log);
  assert.ok(last - third >= 512 * KB, `${last - third}`);
  assert.equal(last, diskUse(folder));
});

test("nothing is noted while a build runs, and a damaged note counts for nothing", () => {
  writeFileSync(log, "CC fs/ext4/inode.o\n");
  assert.equal(builtDiskUse(folder, undefined), diskUse(folder));
  assert.equal(existsSync(join(folder, "disk_use.json")), false);
  writeFileSync(join(folder, "disk_use.json"), '{"build":');
  assert.ok(builtDiskUse(folder, log) >= 256 * KB);
});
